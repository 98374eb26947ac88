"""What a host with a kernel of its own does for the suites, tried on this machine."""

import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

from tests.hosts import guest


def ask(what: str, **words: Any) -> dict[str, Any]:
    return guest.do(json.dumps({"do": what, **words}).encode())


def test_a_command_s_output_and_code_come_back() -> None:
    said = ask("run", argv=["/bin/sh", "-c", "cat; echo no >&2; exit 3"], stdin="yes", seconds=10)
    assert said == {"code": 3, "out": "yes", "error": "no\n"}


def test_what_cannot_be_started_or_does_not_end_has_a_code() -> None:
    assert ask("run", argv=["/no/such/program"], stdin="", seconds=10)["code"] == 127
    assert ask("run", argv=["/bin/sleep", "60"], stdin="", seconds=0.05)["code"] == 124


def test_a_file_is_written_with_its_mode_and_read(tmp_path: Path) -> None:
    path = tmp_path / "folder/file"
    assert ask("write", path=str(path), text="hello", mode=0o600) == {}
    assert path.stat().st_mode & 0o777 == 0o600
    assert ask("read", path=str(path)) == {"text": "hello"}
    assert ask("read", path=str(path) + "s") == {"text": None}
    assert ask("listed", path=str(tmp_path)) == {"names": ["folder"]}
    assert ask("listed", path=str(tmp_path / "none")) == {"names": []}


def test_what_the_system_refuses_is_said(tmp_path: Path) -> None:
    assert "failed" in ask("read", path=str(tmp_path))


def test_a_socket_s_file_is_asked(tmp_path: Path) -> None:
    assert ask("get", path="/", at=str(tmp_path / "none"))["status"] == 0
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(os.fspath(tmp_path / "door"))
        door.listen()
        answering = threading.Thread(target=_answer, args=(door,))
        answering.start()
        said = ask("get", path="/v1/status", at=str(tmp_path / "door"))
        answering.join(10.0)
    assert said == {"status": 200, "body": "GET /v1/status HTTP/1.1"}


def _answer(door: socket.socket) -> None:
    wire, _ = door.accept()
    with wire:
        first = wire.recv(4096).split(b"\r\n")[0]
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(first), first))
