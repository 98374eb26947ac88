"""Asks the running agent over its control socket: HTTP over a unix socket, with a deadline."""

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferagent.config.fragments import run_folder

SOCKET = "control.sock"
DEADLINE = 5.0  # seconds
LARGEST = 4 * 1024 * 1024  # bytes of an answer


class UnreachableError(Exception):
    """Nobody answers at the control socket, or nothing that can be understood. Carries the cure."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Reply:
    """`text` is the answer as it came, `document` the same, read."""

    code: int
    text: str
    document: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        return self.code == 200

    @property
    def message(self) -> str:
        return str(self.document.get("message", "")) or f"the agent answered {self.code}"

    @property
    def cure(self) -> str:
        return str(self.document.get("cure", ""))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, deadline: float) -> None:
        super().__init__("localhost", timeout=deadline)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def control_socket(folder: Path) -> Path:
    """Where the agent that was started with this configuration folder listens."""
    return run_folder(folder) / SOCKET


def ask(
    path: Path,
    method: str,
    target: str,
    fields: Mapping[str, object] | None = None,
    deadline: float = DEADLINE,
) -> Reply:
    """One request to the agent. UnreachableError where no answer came."""
    connection = _UnixConnection(path, deadline)
    body = None if fields is None else json.dumps(fields).encode()
    try:
        connection.request(method, target, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        text = answer.read(LARGEST).decode("utf-8")
        document = json.loads(text)
    except OSError as error:
        raise _unreachable(path, error) from error
    except (http.client.HTTPException, ValueError) as error:
        raise _not_understood(path) from error
    finally:
        connection.close()
    if not isinstance(document, dict):
        raise _not_understood(path)
    return Reply(answer.status, text, document)


def _unreachable(path: Path, error: OSError) -> UnreachableError:
    reason = (error.strerror or str(error)).lower()
    if isinstance(error, TimeoutError):
        reason, cure = "it does not answer in time", "sudo journalctl -u inferagent -n 50"
    elif isinstance(error, PermissionError):
        cure = "run the command with sudo"
    else:
        cure = "sudo systemctl start inferagent, or inferagent run"
    return UnreachableError(f"cannot reach the agent at {path}: {reason}", cure)


def _not_understood(path: Path) -> UnreachableError:
    return UnreachableError(
        f"cannot understand the answer at {path}: it is not this agent's", "sudo systemctl restart inferagent"
    )
