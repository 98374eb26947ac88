"""Who is connected, who awaits an answer, and whose connection it is."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from inferagent.adapters.engine.sock_diag import TcpSocket
from inferagent.adapters.engine.sockets import (
    NOBODY,
    EngineSockets,
    Holder,
    Owner,
    awaiting,
    holder,
    requests,
)

ENGINE = ("127.0.0.1", 11434)
MINE, CONNECTORS = 5, 6


def server_end(port, *, received=10, sent=0, received_ago=9.0, sent_ago=99.0, peer="127.0.0.1"):
    return TcpSocket(ENGINE, (peer, port), 1, 7, sent, received, sent_ago, received_ago)


def client_end(port, inode, uid=1):
    return TcpSocket(("127.0.0.1", port), ENGINE, uid, inode, 0, 0, 0.0, 0.0)


def look(servers, clients=(), connector=0):
    def lister(local_port: int, peer_port: int) -> list[TcpSocket]:
        return list(servers if local_port else clients)

    return EngineSockets(11434, lambda: connector, lister).look()


@pytest.mark.parametrize(
    ("ages", "busy"),
    [
        ({"received_ago": 20.0, "sent_ago": 90.0}, True),  # asked 20 s ago, nothing sent since
        ({"received_ago": 90.0, "sent_ago": 2.0}, True),  # a stream that moved a moment ago
        ({"received_ago": 90.0, "sent_ago": 20.0}, False),  # answered, and kept alive
        ({"received_ago": 1.0, "sent_ago": 1.0, "received": 0}, False),  # connected, and silent
    ],
)
def test_who_awaits_an_answer(ages, busy):
    found = look([server_end(1, **ages)])
    assert (found[0].busy, awaiting(found, False)) == (busy, int(busy))


def test_a_question_and_an_answer_in_one_tick_leave_it_to_the_engines_work():
    found = look([server_end(1, received_ago=20.0, sent_ago=20.0)])
    assert (found[0].asking, found[0].doubtful) == (False, True)
    assert (awaiting(found, working=False), awaiting(found, working=True)) == (0, 1)
    silent = look([server_end(1, received=0, received_ago=20.0, sent_ago=20.0)])
    assert awaiting(silent, working=True) == 0


def test_only_the_last_byte_makes_a_question():
    (streaming,) = look([server_end(1, received_ago=90.0, sent_ago=2.0)])
    (asked,) = look([server_end(1, received_ago=2.0, sent_ago=90.0)])
    assert (streaming.asking, asked.asking) == (False, True)


def test_a_client_on_another_host_is_foreign():
    (one,) = look([server_end(1, peer="10.0.0.9")])
    assert one.owner is Owner.FOREIGN


def test_the_agents_own_and_the_connectors_are_told_by_their_sockets():
    with socket.socket() as ours:
        inode = os.fstat(ours.fileno()).st_ino
        (one,) = look([server_end(1)], [client_end(1, inode)])
        assert one.owner is Owner.AGENT
        assert awaiting((one,), True) == 0
        # This very process plays the connector; the agent's own word goes first.
        (again,) = look([server_end(1)], [client_end(1, inode)], connector=os.getpid())
        assert again.owner is Owner.AGENT


def test_a_connection_of_ours_that_closes_between_the_lists_is_no_neighbour():
    """It is listed with both its ends, and none of our sockets any more when they are compared."""
    times = []

    def lister(local_port: int, peer_port: int) -> list[TcpSocket]:
        times.append(local_port)
        if len(times) > 2:
            return []
        return [server_end(1)] if local_port else [client_end(1, 424242)]

    assert EngineSockets(11434, lambda: 0, lister).look() == ()


def test_a_neighbour_on_this_host_is_foreign():
    (one,) = look([server_end(1)], [client_end(1, 999_999_999)], connector=os.getpid())
    assert one.owner is Owner.FOREIGN


def test_a_connection_opened_between_the_two_lists_is_not_taken_for_foreign():
    with socket.socket() as ours:
        late = client_end(1, os.fstat(ours.fileno()).st_ino)
        lists = [[], [server_end(1)], [late]]
        found = EngineSockets(11434, lambda: 0, lambda *_: lists.pop(0)).look()
    assert found[0].owner is Owner.AGENT


def test_unreadable_sockets_are_told_by_the_uid():
    assert Holder(None, 1001).owns(client_end(1, 5, uid=1001))
    assert not Holder(None, 1001).owns(client_end(1, 5, uid=1000))
    assert not NOBODY.owns(client_end(1, 0))


def test_the_sockets_of_a_process(tmp_path: Path):
    with socket.socket() as one:
        mine = holder(os.getpid())
        assert mine.inodes is not None
        assert os.fstat(one.fileno()).st_ino in mine.inodes
        assert mine.uid == os.getuid()
    assert holder(4, tmp_path) == NOBODY
    (tmp_path / "5" / "fd").mkdir(parents=True)
    (tmp_path / "5" / "fd" / "0").symlink_to("/dev/null")
    (tmp_path / "5" / "fd" / "1").symlink_to("socket:[77]")
    assert holder(5, tmp_path) == Holder(frozenset({77}), os.getuid())


def test_the_mark_changes_when_somebody_else_asks():
    first = look([server_end(1, received=10), server_end(2, received=5)])
    assert requests(first) == requests(look([server_end(1, received=10, sent=99), server_end(2, received=5)]))
    assert requests(first) != requests(look([server_end(1, received=11), server_end(2, received=5)]))


def test_the_mark_leaves_the_agent_out():
    with socket.socket() as ours:
        inode = os.fstat(ours.fileno()).st_ino
        assert requests(look([server_end(1)], [client_end(1, inode)])) == frozenset()


def test_connections_inside_the_engine_are_nobodys():
    asked = []

    def lister(local_port: int, peer_port: int) -> list[TcpSocket]:
        asked.append((local_port, peer_port))
        return [server_end(1)]

    found = EngineSockets(11434, lambda: 0, lister).inner(4711)
    assert asked == [(4711, 0)]
    assert (found[0].owner, awaiting(found, False)) == (Owner.ENGINE, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_sockets_that_may_be_listed_and_not_read_are_unknown():
    """Of the same user with another group: it is not known to hold nothing."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=54321, group=54322, extra_groups=[]) as other:
        reads, writes = os.pipe()
        looker = os.fork()
        if looker == 0:
            os.setgroups([])
            os.setgid(54321)
            os.setuid(54321)
            os.write(writes, repr(holder(other.pid)).encode())
            os._exit(0)
        os.waitpid(looker, 0)
        os.close(writes)
        with os.fdopen(reads) as told:
            assert told.read() == repr(Holder(None, 54321))
