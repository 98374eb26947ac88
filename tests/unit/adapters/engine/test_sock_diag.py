"""The kernel's list of connections: real ones on loopback, and answers that no kernel should give."""

import contextlib
import os
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from inferagent.adapters.engine import sock_diag
from inferagent.adapters.engine.sock_diag import (
    ESTABLISHED,
    Listening,
    address,
    connections,
    listening,
    read_message,
)


@contextlib.contextmanager
def pair(host: str = "127.0.0.1", listen_on: str = "", family: int = socket.AF_INET) -> Iterator[tuple]:
    """A client, the server's end, and the port."""
    with socket.socket(family) as listener:
        listener.bind((listen_on or host, 0))
        listener.listen(5)
        port = listener.getsockname()[1]
        with socket.create_connection((host, port)) as client:
            server, _ = listener.accept()
            with server:
                yield client, server, port


def test_bytes_of_both_directions_and_the_owner():
    with pair() as (client, server, port):
        client.sendall(b"x" * 300)
        server.recv(1000)
        server.sendall(b"y" * 70)
        client.recv(1000)
        (end,) = connections(local_port=port)
        (other,) = connections(peer_port=port)
        assert (end.received, other.received) == (300, 70)
        assert (end.local, end.peer) == (other.peer, other.local)
        assert other.inode == os.fstat(client.fileno()).st_ino
        assert end.uid == os.getuid()
        assert 0 <= end.received_ago < 60


def test_sent_counts_what_was_acknowledged():
    with pair() as (client, server, port):
        (before,) = connections(local_port=port)
        server.sendall(b"y" * 70)
        client.recv(1000)
        (after,) = connections(local_port=port)
        assert after.sent - before.sent == 70


def test_other_ports_are_not_listed():
    with pair() as (_, _, one), pair():
        assert len(connections(local_port=one)) == 1


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_ipv6_is_listed():
    with pair("::1", family=socket.AF_INET6) as (_, _, port):
        (end,) = connections(local_port=port)
        assert end.local == ("::1", port)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_ipv4_in_ipv6_clothes_is_ipv4():
    with pair("127.0.0.1", listen_on="::", family=socket.AF_INET6) as (_, _, port):
        (end,) = connections(local_port=port)
        (other,) = connections(peer_port=port)
        assert (end.local, end.peer) == (other.peer, other.local)


def test_a_listener_alone_is_no_connection():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        assert connections(local_port=listener.getsockname()[1]) == []


def test_a_listener_is_listed_with_its_owner():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        inode = os.fstat(listener.fileno()).st_ino
        mine = Listening("127.0.0.1", port, os.getuid(), inode)
        assert listening(port) == [mine]
        assert mine in listening()


def test_a_connection_is_no_listener():
    with pair() as (client, _, port):
        assert [one.port for one in listening(port)] == [port]
        assert listening(client.getsockname()[1]) == []


def speaker(*packets: bytes) -> socket.socket:
    """A link whose other side says these packets, whatever it is asked."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for packet in packets:
        theirs.send(packet)
    speakers.append(theirs)
    return ours


speakers: list[socket.socket] = []


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    yield
    while speakers:
        speakers.pop().close()


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


def test_a_kernel_that_does_not_answer_is_given_up():
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        connections(local_port=1, opener=speaker)
    assert time.monotonic() - begun < 5


def test_a_refusal_carries_its_number():
    refusal = message(sock_diag.ERROR, struct.pack("=i", -1) + b"\0" * 16)
    with pytest.raises(PermissionError):
        connections(local_port=1, opener=lambda: speaker(refusal))


@pytest.mark.parametrize("packet", [b"\x00", message(20, b"short"), struct.pack("=IHHII", 500, 20, 0, 1, 0)])
def test_a_cut_answer_is_an_error(packet):
    with pytest.raises(OSError, match=r"cut off|timed out"):
        connections(local_port=1, opener=lambda: speaker(packet))


def test_a_kernel_without_byte_counts_is_an_error():
    old = struct.pack("=HH", 104, sock_diag.INFO) + b"\0" * 100
    with pytest.raises(OSError, match="does not count"):
        read_message(bytes([socket.AF_INET, ESTABLISHED, 0, 0]) + b"\0" * 68 + old)


def test_addresses_as_text():
    assert address(socket.AF_INET, bytes([10, 1, 2, 3]) + b"\0" * 12) == "10.1.2.3"
    assert address(socket.AF_INET6, b"\0" * 10 + b"\xff\xff" + bytes([10, 1, 2, 3])) == "10.1.2.3"
    assert address(socket.AF_INET6, b"\0" * 15 + b"\1") == "::1"
