"""The process tree of a unit: who is in it, and the bytes, memory and CPU time of each member."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

MOST = 1000


@dataclass(frozen=True, slots=True)
class Usage:
    """One process at one look. `read_bytes` is 0 where only its own user may read it."""

    pid: int
    started: float
    cpu_seconds: float
    memory_bytes: int
    read_bytes: int


def tree(pid: int) -> tuple[int, ...]:
    """The process and all its descendants; empty when it has gone."""
    found: list[int] = []
    waiting = [pid] if pid > 0 and Path(f"/proc/{pid}").exists() else []
    while waiting and len(found) < MOST:
        one = waiting.pop()
        if one not in found:
            found.append(one)
            waiting.extend(_children(one))
    return tuple(found)


def _children(pid: int) -> list[int]:
    """Each thread of a process lists the children that it started itself."""
    found: list[int] = []
    try:
        for listing in Path(f"/proc/{pid}/task").glob("*/children"):
            found.extend(int(word) for word in listing.read_text().split())
    except (OSError, ValueError):
        return found  # it ended meanwhile
    return found


def usage(pid: int) -> Usage | None:
    """None when the process has ended, or is a zombie."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            times = process.cpu_times()
            memory = process.memory_info().rss
            return Usage(pid, process.create_time(), times.user + times.system, memory, _read_bytes(process))
    except psutil.Error:
        return None


def _read_bytes(process: psutil.Process) -> int:
    try:
        counters = process.io_counters()
    except (psutil.AccessDenied, NotImplementedError, OSError):
        return 0
    # From the page cache only the calls count, from a mapped file only the disk.
    return int(max(counters.read_chars, counters.read_bytes))


def port_argument(pid: int) -> int:
    """The port that a process was told to listen at (`--port N`), 0 if none is named."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return 0
    for name, value in pairwise(words):
        if name == "--port" and value.isdigit():
            return int(value)
    return 0


def usages(pids: tuple[int, ...]) -> tuple[Usage, ...]:
    return tuple(one for one in map(usage, pids) if one is not None)
