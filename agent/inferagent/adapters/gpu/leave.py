"""What the probe program leaves in gpu.json (report.py reads it), with as few imports as it can do with.

{"schema": 1, "boot", "pid", "start", "every", "calling", "calling_at", "report"}; a reading is
{"at", "value"}, {"at"} (n/a), or {"at", "error"}. Times are boot-clock seconds. "calling" names the driver's
call under way.
"""

import fcntl
import json
import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from inferagent.adapters.files import write_whole
from inferagent.adapters.pids import identify
from inferagent.model.gpu import GpuReport
from inferagent.model.reading import Failed, NotAvailable, Reading, Value
from inferagent.ports import Clock

SCHEMA = 1
FILE = "gpu.json"
LOCK = "gpu.lock"


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
    """Writes the file anew before each call and after each look; on a full disk the report only ages."""

    def __init__(self, run: Path, clock: Clock, every: float) -> None:
        self._path = run / FILE
        self._clock = clock
        who = identify(os.getpid())
        self._head: dict[str, Any] = {"schema": SCHEMA, "boot": clock.boot(), "every": every}
        self._head |= {"pid": os.getpid(), "start": who.start if who else 0}
        self._calling = ""
        self._report = "null"  # as text: it is written again before every call

    def announce(self, call: str) -> None:
        self._calling = call
        self._write()

    def report(self, report: Reading[GpuReport]) -> None:
        self._calling = ""
        self._report = json.dumps(plain(report))
        self._write()

    def _write(self) -> None:
        said = self._head | {"calling": self._calling, "calling_at": self._clock.now()}
        text = f'{json.dumps(said)[:-1]}, "report": {self._report}}}'
        try:
            write_whole(self._path, text.encode(), mode=0o644)
        except OSError:
            return  # it ages, and that is seen


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
