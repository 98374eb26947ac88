"""TCP connections as the kernel sees them, by netlink SOCK_DIAG; needs no privilege.

struct inet_diag_req_v2, inet_diag_msg and tcp_info as in linux/inet_diag.h and linux/tcp.h.
"""

import ipaddress
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
ERROR, DONE = 2, 3
WANT_INFO = 1 << 1  # 1 << (INET_DIAG_INFO - 1)
INFO = 2
ESTABLISHED, LISTEN = 1, 10
PATIENCE = 0.3

_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI")
_ID = struct.Struct(">HH16s16s")
_MESSAGE = struct.Struct("=BBBB")
_TAIL = struct.Struct("=IIIII")
_ATTRIBUTE = struct.Struct("=HH")
_AGES = struct.Struct("=I4xI")  # last_data_sent, last_data_recv
_BYTES = struct.Struct("=QQ")  # bytes_acked, bytes_received
_ID_AT, _ID_SIZE = _MESSAGE.size, 48
_TAIL_AT = _ID_AT + _ID_SIZE
_ATTRIBUTES_AT = _TAIL_AT + _TAIL.size
_AGES_AT, _BYTES_AT = 44, 120

Place = tuple[str, int]
Opener = Callable[[], socket.socket]


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """One end of an established connection. `sent` counts acknowledged bytes; the ages are seconds since the
    last byte went out and came in."""

    local: Place
    peer: Place
    uid: int
    inode: int
    sent: int
    received: int
    sent_ago: float
    received_ago: float


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that takes connections; every address is "0.0.0.0" or "::"."""

    address: str
    port: int
    uid: int
    inode: int


def open_netlink() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG)


def connections(local_port: int = 0, peer_port: int = 0, opener: Opener = open_netlink) -> list[TcpSocket]:
    """The established connections with these ports (0: any), IPv4 and IPv6; raises OSError."""
    return [read_message(body) for body in _listed(ESTABLISHED, local_port, peer_port, opener)]


def listening(port: int = 0, opener: Opener = open_netlink) -> list[Listening]:
    """The listening sockets at this port (0: any), IPv4 and IPv6; raises OSError."""
    return [read_listening(body) for body in _listed(LISTEN, port, 0, opener)]


def _listed(state: int, local_port: int, peer_port: int, opener: Opener) -> Iterator[bytes]:
    with opener() as link:
        link.settimeout(PATIENCE)
        for family in (socket.AF_INET, socket.AF_INET6):
            link.send(request(family, local_port, peer_port, state))
            yield from _answers(link)


def request(family: int, local_port: int, peer_port: int, state: int = ESTABLISHED) -> bytes:
    who = _ID.pack(local_port, peer_port, b"", b"") + struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, WANT_INFO, 1 << state) + who
    return _HEADER.pack(_HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, DUMP, 1, 0) + body


def _answers(link: socket.socket) -> Iterator[bytes]:
    while True:
        packet = link.recv(1 << 17)
        if not packet:
            raise OSError("the kernel's answer ended early")
        for kind, body in _messages(packet):
            if kind == DONE:
                return
            if kind == ERROR:
                code = -struct.unpack_from("=i", body)[0]
                raise OSError(code, "the kernel refuses to list sockets")
            if kind == SOCK_DIAG_BY_FAMILY:
                yield body


def _messages(packet: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(packet):
        length, kind, *_ = _HEADER.unpack_from(packet, at)
        if length < _HEADER.size or at + length > len(packet):
            raise OSError("the kernel's answer is cut off")
        yield kind, packet[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def read_message(body: bytes) -> TcpSocket:
    """One inet_diag_msg with its tcp_info; OSError when the kernel is too old to count bytes (before 4.2)."""
    family, (local_port, peer_port, local, peer), uid, inode = _ends(body)
    info = _attribute(body, INFO)
    if len(info) < _BYTES_AT + _BYTES.size:
        raise OSError("the kernel does not count the bytes of a connection")
    sent_ago, received_ago = _AGES.unpack_from(info, _AGES_AT)
    sent, received = _BYTES.unpack_from(info, _BYTES_AT)
    here, there = (address(family, local), local_port), (address(family, peer), peer_port)
    return TcpSocket(here, there, uid, inode, sent, received, sent_ago / 1e3, received_ago / 1e3)


def read_listening(body: bytes) -> Listening:
    family, (port, _, local, _), uid, inode = _ends(body)
    return Listening(address(family, local), port, uid, inode)


def _ends(body: bytes) -> tuple[int, tuple[int, int, bytes, bytes], int, int]:
    """The family, both ports and both addresses, the uid and the inode."""
    if len(body) < _ATTRIBUTES_AT:
        raise OSError("the kernel's answer is cut off")
    *_, uid, inode = _TAIL.unpack_from(body, _TAIL_AT)
    return body[0], _ID.unpack_from(body, _ID_AT), uid, inode


def _attribute(body: bytes, wanted: int) -> bytes:
    at = _ATTRIBUTES_AT
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size:
            break
        if kind == wanted:
            return body[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return b""


def address(family: int, raw: bytes) -> str:
    """Text form; an IPv4 address in IPv6 clothes is IPv4, since its other end says so too."""
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(raw[:4]))
    six = ipaddress.IPv6Address(raw)
    return str(six.ipv4_mapped or six)
