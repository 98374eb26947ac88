"""Reads the event file from the state folder, agent or no agent, and follows it while it grows."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from inferagent.model.event import Event
from inferagent.model.event_line import decode

NAMES = ("events.1.jsonl", "events.jsonl")  # oldest first
LARGEST = 1 << 24  # bytes of one file that are read, from its end
PACE = 0.5  # seconds between two looks


class UnreadableError(Exception):
    """The events cannot be read. Carries the cure."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Line:
    """`text` as it stands in the `file`; `event` is None for what cannot be read."""

    text: str
    event: Event | None
    file: str = ""


def read(state: Path) -> list[Line]:
    """Every line of both generations, oldest first. UnreadableError where there is none."""
    contents: dict[int, tuple[str, bytes]] = {}  # the newer first: what is renamed meanwhile is read once
    for name in reversed(NAMES):
        try:
            with (state / name).open("rb") as file:
                found = os.fstat(file.fileno())
                file.seek(max(0, found.st_size - LARGEST))
                contents.setdefault(found.st_ino, (str(state / name), file.read(LARGEST)))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(state / name, error) from error
    if not contents:
        raise UnreadableError(
            f"cannot find events in {state}: no agent has written any yet",
            "inferagent config check && sudo systemctl start inferagent",
        )
    newest_last = reversed(contents.values())
    return [line for name, content in newest_last for line in parse(content.split(b"\n"), name)]


def unreadable(path: Path, error: OSError) -> UnreadableError:
    denied = isinstance(error, PermissionError)
    cure = "run the command with sudo" if denied else f"sudo ls -l {path}"
    return UnreadableError(f"cannot read {path}: {(error.strerror or str(error)).lower()}", cure)


def parse(lines: Iterable[bytes], file: str = "") -> Iterator[Line]:
    for line in lines:
        if not line:
            continue
        try:
            yield Line(line.decode("utf-8"), decode(line), file)
        except ValueError:
            yield Line("", None, file)


class Tail:
    """What is appended to the present file from now on; a new generation is gone over to."""

    def __init__(self, state: Path) -> None:
        self._path = state / NAMES[-1]
        self._file = self._open()
        self._rest = b""
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)

    def lines(self) -> list[Line]:
        """The whole lines that came since the last look."""
        found = self._read()
        if self._replaced():
            self.close()
            self._file, self._rest = self._open(), b""
            found += self._read()
        return found

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _open(self) -> BinaryIO | None:
        try:
            return self._path.open("rb")
        except OSError:
            return None

    def _read(self) -> list[Line]:
        if self._file is None:
            return []
        *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
        return list(parse(whole))

    def _replaced(self) -> bool:
        try:
            present = self._path.stat()
        except OSError:
            return False
        if self._file is None:
            return True
        mine = os.fstat(self._file.fileno())
        return (mine.st_ino, mine.st_dev) != (
            present.st_ino,
            present.st_dev,
        ) or present.st_size < self._file.tell()


def follow(
    tail: Tail,
    say: Callable[[Line], None],
    limit: float = float("inf"),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Say each line as it comes, for at most `limit` seconds."""
    end = clock() + limit
    while clock() < end:
        for line in tail.lines():
            say(line)
        sleep(PACE)
