"""Reads the kernel's log as it grows: /dev/kmsg, or a FIFO or file of the same records.

Never waits inside a read. A log that may not be read (no such device, no permission) is n/a and said once.
"""

import os
import select
import stat
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from inferagent.adapters.files import why
from inferagent.adapters.gpu.kernel_lines import KernelLines, Moment
from inferagent.ports import Clock

KMSG = Path("/dev/kmsg")
LARGEST = 16 * 1024  # bytes: the kernel refuses a read that its longest record does not fit into
BATCH = 2000  # reads at a time: as many records of a device
BYTES = 2**20  # and of a stream so many bytes


class KernelLog:
    """`unread` says why nothing is read ("" while it is); `lines` what has been read so far."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        lines: KernelLines,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._clock = clock
        self._monotonic = monotonic
        self.lines = lines
        self._live = False  # what was there at the beginning has been read
        self._rest = b""
        self._stream = True
        self._poll = select.poll()
        self._handle: int | None = None
        self.unread = self._open()

    def _open(self) -> str:
        try:
            kind = self._path.stat().st_mode
            # a FIFO that nobody writes to at this moment is not at its end: we hold the other side too
            access = os.O_RDWR if stat.S_ISFIFO(kind) else os.O_RDONLY
            self._handle = os.open(self._path, access | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            return f"cannot read {self._path}: {why(error)}"
        self._stream = not stat.S_ISCHR(kind)
        self._poll.register(self._handle, select.POLLIN)
        return ""

    def wait(self) -> bool:
        """Until there is something to read; False where there will never be anything."""
        return self._handle is not None and bool(self._poll.poll())

    def pump(self) -> bool:
        """Take one batch of what is there. Whether it holds a kind of line not seen before."""
        fresh, taken = False, 0
        for _ in range(BATCH):
            chunk = self._read()
            if not chunk:
                self._live = True
                break
            taken += len(chunk)
            for record in self._records(chunk):
                fresh = self.lines.take(record, self._moment) or fresh
            if taken >= BYTES:
                break
        return fresh

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _read(self) -> bytes:
        """b"" at the end of what is there for now."""
        while self._handle is not None:
            try:
                return os.read(self._handle, LARGEST)
            except BlockingIOError:
                break
            except BrokenPipeError:  # a flood has overwritten the next ones: go on with what is left
                continue
            except OSError as error:
                self.unread = f"cannot read {self._path}: {why(error)}"
                self.close()
        return b""

    def _records(self, chunk: bytes) -> Iterable[bytes]:
        """A device gives one record a read, its first line; a stream whatever fits."""
        if not self._stream:
            return (chunk.partition(b"\n")[0],)
        *whole, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest if len(rest) <= LARGEST else b""
        return whole

    def _moment(self, stamp: int) -> Moment:
        """A record read as it comes is of now: the log's own clock stops in sleep, and drifts."""
        age = 0.0 if self._live else max(0.0, self._monotonic() - stamp / 1e6)
        wall = datetime.fromisoformat(self._clock.wall()) - timedelta(seconds=age)
        return Moment(self._clock.now() - age, f"{wall:%H:%M:%S}")
