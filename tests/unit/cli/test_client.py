import socket
import tempfile
import threading
from pathlib import Path

import pytest

from inferagent.cli.client import UnreachableError, ask, control_socket


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
    assert caught.value.cure == "sudo systemctl start inferagent, or inferagent run"


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


def test_the_socket_stands_where_the_configuration_says(folder):
    (folder / "config.toml").write_text('[agent]\nrun = "/somewhere"\n')
    assert control_socket(folder) == Path("/somewhere/control.sock")
