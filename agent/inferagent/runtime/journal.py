"""The journal's own protocol: one datagram a line, its fields beside it, so that they can be asked for.

`journalctl INFERAGENT_FINDING=engine-hung` finds what no text search finds for sure.
"""

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from inferagent.runtime.standard_error import StandardError

SOCKET = Path("/run/systemd/journal/socket")
NAME = "inferagent"
PREFIX = "INFERAGENT_"
LONGEST = 32 * 1024  # characters of one field: the datagram has to fit
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
# Told by the message itself, or fields whose value is a code.
BESIDE = ("phase", "label", "cause", "findings")

Fields = list[tuple[str, str]]


def listens(environment: Mapping[str, str], path: Path = SOCKET) -> bool:
    """Whether this process's stderr is a stream of the journal, and the journal takes datagrams."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    named = environment.get("JOURNAL_STREAM", "")
    return named == f"{found.st_dev}:{found.st_ino}" and path.is_socket()


def fields_of(event: Mapping[str, object]) -> Fields:
    """What structlog carries as fields of the journal; "event" and "level" are there always."""
    found = [
        ("MESSAGE", message(event)),
        ("PRIORITY", str(PRIORITIES.get(str(event.get("level")), 6))),
        ("SYSLOG_IDENTIFIER", NAME),
    ]
    found += [(f"{PREFIX}FINDING", code) for code in _codes(event)]
    rest = (name for name in event if name not in ("event", "level", "findings", "exception"))
    return [*found, *((PREFIX + name.upper(), str(event[name])) for name in rest if event[name])]


def message(event: Mapping[str, object]) -> str:
    """The sentence, what belongs to it, and the findings that are not its cause."""
    parts = [str(event.get("event", ""))]
    skipped = ("event", "level", "exception", *BESIDE)
    parts += [f"{name}={value!r}" for name, value in event.items() if name not in skipped and value]
    also = [code for code in _codes(event) if code != event.get("cause")]
    parts += [f"(also {', '.join(also)})"] if also else []
    told = " ".join(parts)
    return f"{told}\n{event['exception']}" if event.get("exception") else told


def _codes(event: Mapping[str, object]) -> list[str]:
    codes = event.get("findings")
    return [str(code) for code in codes] if isinstance(codes, list | tuple) else []


def encode(fields: Fields) -> bytes:
    """Text with a line break is sent with its length; any other as NAME=text."""
    return b"".join(_encoded(fields))


def _encoded(fields: Fields) -> Iterator[bytes]:
    for name, value in fields:
        raw = value[:LONGEST].encode("utf-8", "replace")
        if b"\n" in raw:
            yield name.encode() + b"\n" + len(raw).to_bytes(8, "little") + raw + b"\n"
        else:
            yield name.encode() + b"=" + raw + b"\n"


class JournalLogger:
    """What structlog writes to. Never waits: what the journal does not take at once goes to stderr."""

    def __init__(self, path: Path = SOCKET) -> None:
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._else = StandardError(sys.stderr)

    def msg(self, **event: object) -> None:
        fields = fields_of(event)
        try:
            self._socket.sendto(encode(fields), self._path)
        except OSError:
            self._else.write(f"<{fields[1][1]}>{fields[0][1]}\n")

    debug = info = warning = error = critical = exception = log = msg

    def close(self) -> None:
        self._socket.close()
