"""What the probe program leaves in gpu.json (report.py reads it), with as few imports as it can do with.

{"schema": 1, "boot", "pid", "start", "every", "calling", "calling_at", "written", "kernel", "names",
"report"}; a reading is {"at", "value"}, {"at"} (n/a), or {"at", "error"}. Times are boot-clock seconds.
"calling" names a driver's call that takes long, "calling_at" says when it began; "kernel" is a KernelLook,
"names" says who the GPUs are.
"""

import fcntl
import json
import os
import threading
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from inferagent.adapters.files import write_whole
from inferagent.adapters.gpu.roster import Roster
from inferagent.adapters.pids import identify
from inferagent.model.gpu import GpuReport
from inferagent.model.kernel import KernelLook
from inferagent.model.reading import Failed, NotAvailable, Reading, Value
from inferagent.ports import Clock

SCHEMA = 1
FILE = "gpu.json"
LOCK = "gpu.lock"
SLOW = 1.0  # seconds; the agent calls a call stuck after ten times as long


def hold_lock(run: Path) -> int | None:
    """A handle that holds the probe program's lock until it is closed; None when another process holds it."""
    handle = os.open(run / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


class ReportWriter:
    """Writes the file after each look, and once a call takes long; on a full disk the report only ages."""

    def __init__(
        self, run: Path, clock: Clock, every: float, roster: Roster | None = None, slow: float = SLOW
    ) -> None:
        self._path = run / FILE
        self._clock = clock
        self._roster = roster or Roster()
        self._slow = slow
        who = identify(os.getpid())
        self._head: dict[str, Any] = {"schema": SCHEMA, "boot": clock.boot(), "every": every}
        self._head |= {"pid": os.getpid(), "start": who.start if who else 0}
        self._call = "", clock.now()
        self._report = "null"  # as text: it is written again for a call that takes long
        self._kernel = KernelLook()
        self._first = True
        self._busy = threading.Event()
        self._lock = threading.Lock()

    def announce(self, call: str) -> None:
        """Before each call, "" after the last. The first of all is written at once: it loads the library."""
        self._call = call, self._clock.now()
        if not call:
            self._busy.clear()
            return
        self._busy.set()
        if self._first:
            self.tell()

    def report(self, report: Reading[GpuReport]) -> None:
        self._call = "", self._clock.now()
        self._busy.clear()
        self._report = json.dumps(plain(report))
        self.tell()

    def kernel(self, look: KernelLook, *, at_once: bool) -> None:
        """With the next report, or at once: a driver that hangs reports no more."""
        self._kernel = look
        if at_once:
            self.tell()

    def tell_slow_calls(self, end: threading.Event) -> None:
        """In a thread of its own: a call that is under way for longer than `slow` is written down."""
        while not end.is_set():
            self._busy.wait()
            call = self._call
            end.wait(self._slow)
            if call[0] and call is self._call:
                self.tell()
                self._wait_for_next(call, end)

    def _wait_for_next(self, call: tuple[str, float], end: threading.Event) -> None:
        while call is self._call and not end.wait(self._slow):
            continue

    def tell(self) -> None:
        """Write the file."""
        with self._lock:
            self._first = False
            call, at = self._call
            said = self._head | {"calling": call, "calling_at": at, "written": self._clock.now()}
            said |= {"kernel": plain(self._kernel), "names": self._names()}
            text = f'{json.dumps(said)[:-1]}, "report": {self._report}}}'
            try:
                write_whole(self._path, text.encode(), mode=0o644)
            except OSError:
                return  # it ages, and that is seen

    def _names(self) -> list[list[Any]]:
        return [[index, one.uuid, one.name, one.pci] for index, one in list(self._roster.names.items())]


def says_absent(run: Path) -> bool:
    """Whether the last report is that this host has no GPU."""
    try:
        report = json.loads((run / FILE).read_bytes())["report"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return isinstance(report, dict) and set(report) == {"at"}


def plain(value: Any) -> Any:
    """Readings and dataclasses as JSON values."""
    match value:
        case Value():
            return {"at": value.at, "value": plain(value.value)}
        case NotAvailable():
            return {"at": value.at}
        case Failed():
            return {"at": value.at, "error": value.reason}
        case tuple():
            return [plain(each) for each in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value
