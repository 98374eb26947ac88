"""Asks the ready program, writes verdicts for it, and plays the engine's port."""

import json
import socket
from pathlib import Path

from inferagent.adapters.clock import BootClock
from inferagent.adapters.verdict_file import VerdictFile

URL = "/.inferagent/ready"


def ask(port: int, target: str = URL, method: str = "GET", agent: str = "curl", bound: float = 3.0):
    """Status and body; the connection is read to its end."""
    request = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), bound) as link:
        link.sendall(request.encode())
        answer = b""
        while more := link.recv(65536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body, head


def verdict(run: Path, ready: bool, phase: str = "serving") -> None:
    VerdictFile(run, BootClock()).write(ready, phase)


def body(answer) -> dict:
    return json.loads(answer[1])


def listening(port: int = 0) -> socket.socket:
    """A port that accepts, as the engine's does: the kernel shakes hands for it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen(64)
    return made
