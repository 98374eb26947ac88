"""A run that has outlived the agent that started it: told by its record, and ended with its session.

The record, pid and start time of the session's leader, lies in the runtime folder: it ends with the boot.
"""

import os
import signal
import time
from pathlib import Path

from inferagent.adapters.files import write_whole
from inferagent.adapters.pids import Identity, identify, read_stat, tell
from inferagent.ports import PortError

SURE = 2.0  # seconds that SIGKILL may take
LOOK = 0.02


def note(record: Path, pid: int) -> None:
    """A runtime folder that takes nothing costs this guard, and no run."""
    who = identify(pid)
    if who is None:
        return
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        write_whole(record, f"{who.pid} {who.start}\n".encode())
    except OSError:
        return


def end_last(record: Path, sure: float = SURE) -> None:
    """Kill what is left of the run that is recorded there, and wait for its end. PortError if it does not."""
    who = _recorded(record)
    if who is None:
        return
    end = time.monotonic() + sure
    while left := _session(who):
        for one in left:
            tell(one, signal.SIGKILL)
        if time.monotonic() >= end:
            raise PortError("the run of an earlier agent cannot be ended")
        time.sleep(LOOK)


def _recorded(record: Path) -> Identity | None:
    try:
        pid, start = record.read_text("ascii").split()
        return Identity(int(pid), int(start))
    except (OSError, ValueError):
        return None


def _session(leader: Identity) -> list[Identity]:
    """Its living processes; none where the leader's number has been given to somebody else."""
    now = read_stat(leader.pid)
    if now is not None and now.who != leader:
        return []
    stats = (read_stat(int(name)) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208
    return [
        stat.who
        for stat in stats
        if stat and not stat.ended and stat.session == leader.pid and stat.who.start >= leader.start
    ]
