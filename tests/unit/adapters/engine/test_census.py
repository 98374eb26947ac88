"""Who runs on this host: the real one, and processes made of files."""

import os
import socket
from pathlib import Path

from inferagent.adapters.engine.census import Process, census, sees
from inferagent.adapters.pids import MARK

STATUS = "Name:\ta b: c\nState:\tS\nUid:\t1\t2\t2\t3\n"
TCP = "sl local rem st\n 0: 0100007F:1F40 00000000:0000 0A 0:0 0:0 0 0 0 777 1 0\n"


def process(proc: Path, pid: int, *sockets: int, environ: bytes = b"A=1") -> Path:
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "status").write_text(STATUS)
    (folder / "cgroup").write_text("0::/system.slice/x.service\n")
    (folder / "environ").write_bytes(environ + b"\0")
    for number, inode in enumerate(sockets):
        (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")
    return folder


def test_it_knows_us_and_our_sockets():
    with socket.create_server(("127.0.0.1", 0)) as mine:
        inode = os.fstat(mine.fileno()).st_ino
        me = census()[os.getpid()]
        assert me.sockets is not None
        assert inode in me.sockets
        assert os.getuid() in me.uids
        assert sees(os.getpid(), inode)
        assert not sees(os.getpid(), 1)
        assert not sees(2**22 + 1, inode)


def test_a_process_with_all_its_users(tmp_path):
    process(tmp_path, 7, 55)
    found = census(tmp_path)
    assert found == {
        7: Process(7, "a b: c", frozenset({1, 2, 3}), "0::/system.slice/x.service\n", frozenset({55}))
    }


def test_a_mark_is_looked_for_at_whoever_holds_a_socket(tmp_path):
    process(tmp_path, 7, 55, environ=f"{MARK}=abc".encode())
    process(tmp_path, 8, environ=f"{MARK}=abc".encode())
    (process(tmp_path, 9, 56) / "environ").unlink()
    assert {pid: one.marked for pid, one in census(tmp_path).items()} == {7: True, 8: False, 9: False}


def test_who_ends_meanwhile_is_left_out(tmp_path):
    (process(tmp_path, 7) / "status").unlink()
    (tmp_path / "self").mkdir()
    assert census(tmp_path) == {}


def test_a_socket_is_seen_in_the_network_of_a_process(tmp_path):
    (process(tmp_path, 7) / "net").mkdir()
    (tmp_path / "7" / "net" / "tcp6").write_text(TCP)
    assert sees(7, 777, tmp_path)
    assert not sees(7, 77, tmp_path)
