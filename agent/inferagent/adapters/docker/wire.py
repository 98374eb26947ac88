"""One HTTP exchange with the docker daemon over its unix socket. Every one has a deadline of its own.

No version stands in the paths: a daemon then answers in its newest, and refuses none as too old.
"""

import asyncio
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import h11

from inferagent.adapters.files import why
from inferagent.adapters.http_exchange import exchanged
from inferagent.ports import PortError

SOCKET = Path("/run/docker.sock")


class Trouble(StrEnum):
    """What kept the daemon from answering."""

    AWAY = "away"  # nobody listens
    DENIED = "denied"  # its socket is not ours to open
    SILENT = "silent"  # it took the question, or not even that, and does not answer
    STRANGE = "strange"  # what came is no answer of a docker daemon


class DaemonError(PortError):
    """The daemon gave no answer; `trouble` says which way."""

    def __init__(self, text: str, trouble: Trouble) -> None:
        super().__init__(text)
        self.trouble = trouble


class RefusedError(PortError):
    """The daemon answered no, with its HTTP status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text, refused=400 <= status < 500)
        self.status = status


@dataclass(frozen=True, slots=True)
class Ask:
    """`what` completes "cannot …". `deadline` in seconds, of the whole exchange."""

    what: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: dict[str, Any] | None = None
    deadline: float = 10.0

    @property
    def target(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


async def exchange(socket: Path, ask: Ask) -> bytes:
    """The body of a 2xx or 304. DaemonError, or RefusedError with the daemon's own words."""
    cannot = f"cannot {ask.what}"
    try:
        async with asyncio.timeout(ask.deadline):
            status, body = await _opened(socket, ask)
    except TimeoutError:
        text = f"{cannot}: docker does not answer within {ask.deadline:g} s → sudo systemctl status docker"
        raise DaemonError(text, Trouble.SILENT) from None
    except (PermissionError, OSError) as error:
        raise _unreachable(cannot, socket, error) from error
    except (h11.RemoteProtocolError, _CutError) as error:
        raise DaemonError(f"{cannot}: docker's answer makes no sense: {error}", Trouble.STRANGE) from error
    if status // 100 != 2 and status != 304:
        raise RefusedError(f"{cannot}: docker says: {_said(body) or status}", status)
    return body


class _CutError(Exception):
    """The answer ended before its end, or has none."""


async def _opened(socket: Path, ask: Ask) -> tuple[int, bytes]:
    content = b"" if ask.body is None else json.dumps(ask.body).encode()
    headers = [("Host", "docker"), ("Connection", "close"), ("Content-Length", str(len(content)))]
    if content:
        headers.append(("Content-Type", "application/json"))
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        request = h11.Request(method=ask.method, target=ask.target, headers=headers)
        answer = await exchanged(reader, writer, request, content)
    finally:
        writer.transport.abort()
    if answer.broken:
        raise _CutError(answer.broken)
    return answer.status, answer.body


def _unreachable(cannot: str, socket: Path, error: OSError) -> DaemonError:
    if isinstance(error, PermissionError):
        text = f"{cannot}: {socket} is not ours to open: {why(error)} → run it as root"
        return DaemonError(text, Trouble.DENIED)
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        text = f"{cannot}: no docker daemon listens at {socket} → sudo systemctl start docker"
        return DaemonError(text, Trouble.AWAY)
    return DaemonError(f"{cannot}: the connection to docker broke: {why(error)}", Trouble.AWAY)


def _said(body: bytes) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(found.get("message", "")).strip() if isinstance(found, dict) else ""
