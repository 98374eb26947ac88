"""The event file: one line of JSON a change, appended, bounded; a power cut costs at most its last line.

events.jsonl and the generation before it, events.1.jsonl, in the state folder. A thread of its own writes
each line by one write(2) and then has it put on the disk: the loop waits for neither, however slow that is.
"""

import errno
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from inferagent.adapters.files import sync_folder, why
from inferagent.model.event import Event
from inferagent.model.event_line import decode, encode

NAME, BEFORE = "events.jsonl", "events.1.jsonl"
LIMIT = 1 << 20  # bytes of one generation; at least so many of the last are always kept
MODE = 0o640
WAITING = 1000  # lines that wait for a disk that does not take them; beyond, the oldest are lost
TAIL = 1 << 18  # bytes in which an open episode is looked for
PATIENCE = 5.0  # seconds after which a write that has not ended is said


class EventFile:
    """The EventPort. What could not be written is tried again with the next lines, or by `append(())`."""

    def __init__(self, state: Path, limit: int = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._before = state / NAME, state / BEFORE
        self._limit, self._clock = limit, clock
        self._lines: deque[bytes] = deque(maxlen=WAITING)
        self._lost = False
        self._error = ""
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._begun = 0.0

    @property
    def problem(self) -> str:
        """ "" or why events are not written at present."""
        hung = not self._idle.is_set() and self._clock() - self._begun > PATIENCE
        error = "the disk does not answer" if hung else self._error
        lost = "; the oldest that waited are lost" if self._lost else ""
        return f"cannot write the events in {self._path}: {error}{lost}" if error else ""

    def append(self, events: Sequence[Event]) -> None:
        lines = [encode(event) for event in events]
        with self._lock:
            self._lost = self._lost or len(self._lines) + len(lines) > WAITING
            self._lines.extend(lines)
            if not self._lines or not self._idle.is_set():
                return
            self._idle.clear()
            self._begun = self._clock()
        threading.Thread(target=self._work, name="writes the events", daemon=True).start()

    def flush(self, seconds: float) -> None:
        """Wait at most so long for what is being written; when the agent ends."""
        self._idle.wait(seconds)

    def unfinished(self) -> tuple[Event, ...]:
        """From the end of what is there; what cannot be read is not unfinished."""
        found: dict[tuple[str, str, float], Event] = {}
        for path in (self._before, self._path):
            for event in _last(path):
                if event.episode is not None:
                    found[event.boot, event.episode.deed, event.episode.began] = event
        return tuple(event for event in found.values() if event.episode is not None and event.episode.open)

    def _work(self) -> None:
        while True:
            self._begun = self._clock()
            error = self._attempt()
            with self._lock:
                self._error, self._lost = error, self._lost and bool(error)
                if error or not self._lines:
                    self._idle.set()
                    return

    def _attempt(self) -> str:
        """ "" or why what waits could not be written."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(self._path, flags, MODE)
            try:
                new = os.fstat(handle).st_size == 0
                if new:
                    os.fchmod(handle, MODE)  # whatever the unit's umask, the group may read what happened
                full = self._fill(handle)
                os.fdatasync(handle)
            finally:
                os.close(handle)
            if full:
                self._path.replace(self._before)
            if full or new:
                sync_folder(self._path.parent)
        except OSError as error:
            return why(error)
        return ""

    def _fill(self, handle: int) -> bool:
        """Write what waits, line by line; True when this generation takes no more.

        What a power cut or a full disk has left of a line, or in its place, ends before the next one begins.
        """
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        while (line := self._first()) is not None:
            whole = b"\n" + line if torn else line
            if size and size + len(whole) > self._limit:
                return True
            written = os.write(handle, whole)
            if written < len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            size, torn = size + written, False
            self._done(line)
        return False

    def _first(self) -> bytes | None:
        with self._lock:
            return self._lines[0] if self._lines else None

    def _done(self, line: bytes) -> None:
        with self._lock:
            if self._lines and self._lines[0] is line:
                self._lines.popleft()


def _last(path: Path) -> Iterator[Event]:
    """The events near the end of the file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            content = file.read(TAIL)
    except OSError:
        return
    for line in content.split(b"\n"):
        with suppress(ValueError):
            yield decode(line)
