import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from inferagent.cli.client import UnreachableError, ask, control_socket, operator_socket


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def answering(path: Path, raw: bytes | None) -> threading.Thread:
    """One connection: read something, say `raw` (None: nothing) and close."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        with listener, listener.accept()[0] as peer:
            peer.recv(65536)
            if raw is None:
                peer.recv(1)  # until the client gives up
            else:
                peer.sendall(raw)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_an_answer_is_read_and_kept_as_it_came(folder):
    body = b'{"api": 1,  "ok": true, "message": "done"}'
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    thread = answering(folder / "s", head + body)
    reply = ask(folder / "s", "GET", "/v1/status")
    thread.join()
    assert (reply.code, reply.ok, reply.text) == (200, True, body.decode())
    assert (reply.message, reply.cure) == ("done", "")


def test_no_socket_is_unreachable_with_the_cure(folder):
    with pytest.raises(UnreachableError, match=r"cannot reach the agent at .*: no such file") as caught:
        ask(folder / "s", "GET", "/v1/status")
    assert caught.value.cure == "inferagent config check && sudo systemctl start inferagent"


def test_a_dead_agent_s_socket_is_unreachable(folder):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "s"))
    with pytest.raises(UnreachableError, match="connection refused"):
        ask(folder / "s", "GET", "/v1/status")


def test_a_silent_agent_is_given_up_in_time(folder):
    thread = answering(folder / "s", None)
    with pytest.raises(UnreachableError, match="does not answer in time") as caught:
        ask(folder / "s", "GET", "/v1/status", deadline=0.05)
    thread.join()
    assert "journalctl" in caught.value.cure


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff",
    ],
)
def test_an_answer_that_is_none_is_said(folder, raw):
    thread = answering(folder / "s", raw)
    with pytest.raises(UnreachableError, match="cannot"):
        ask(folder / "s", "GET", "/v1/status")
    thread.join()


def test_the_sockets_stand_where_the_configuration_says(folder):
    (folder / "config.toml").write_text('[agent]\nrun = "/somewhere"\n')
    assert control_socket(folder) == Path("/somewhere/control.sock")
    assert operator_socket(folder) == Path("/somewhere/operator.sock")


def test_a_broken_configuration_is_said_and_keeps_nobody_from_an_agent_that_is_found(folder, capsys):
    (folder / "config.toml").write_text(f'broken =\n[agent]\nrun = "{folder}"\n')
    (folder / "operator.sock").touch()
    assert operator_socket(folder) == folder / "operator.sock"
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{folder}/config.toml:1: cannot be read as TOML" in said.err


def test_a_broken_configuration_that_leads_to_no_agent_is_the_answer(folder, capsys):
    (folder / "config.toml").write_text(f'broken =\n[agent]\nrun = "{folder}/nowhere"\n')
    for find in (control_socket, operator_socket):
        with pytest.raises(SystemExit) as caught:
            find(folder)
        assert caught.value.code == 78
        assert "cannot be read as TOML" in capsys.readouterr().err


UNREADABLE = """
import os, sys
from pathlib import Path
from inferagent.cli.client import control_socket
from inferagent.config import fragments
fragments.shipped_fragment()  # as nobody, this file may be out of reach
os.setgid(65534); os.setuid(65534)
fragments.shipped_fragment().data["agent"]["run"] = sys.argv[2]
print(control_socket(Path(sys.argv[1])))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a file that only root reads needs root to make")
@pytest.mark.parametrize("there", [True, False])
def test_files_that_this_user_may_not_read_do_not_hide_the_shipped_socket(folder, there):
    (folder / "config.toml").write_text("[agent]\nrun = '/elsewhere'\n")
    (folder / "config.toml").chmod(0o600)
    folder.chmod(0o755)
    if there:
        (folder / "control.sock").touch()
    argv = [sys.executable, "-c", UNREADABLE, str(folder), str(folder)]
    said = subprocess.run(argv, capture_output=True, text=True)
    if there:
        assert (said.stdout, said.stderr) == (f"{folder}/control.sock\n", "")
    else:
        assert said.returncode == 78
        assert "config.toml: cannot be read: permission denied" in said.stderr
