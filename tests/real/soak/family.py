"""The lives of an engine as /proc shows them: who belongs to one, when each died, and who outlived it."""

import json
import os
import select
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.proc import use_of

from inferagent.adapters.pids import Family, Identity, alive, identify, members
from inferagent.lab.processes import below, session_of

TURN = 0.01  # seconds between two looks at the unit's record
# Of the two clocks: a start is told in hundredths, and a death is seen when this thread is let run.
SLACK = 0.05
SHM = "/dev/shm/"


@dataclass(frozen=True)
class Life:
    """One life of the engine at one moment. `held`: MiB of memory of all its processes (PSS)."""

    leader: Identity
    mark: str = ""
    processes: dict[Identity, str] = field(default_factory=dict)
    held: float = 0.0
    shared: frozenset[str] = frozenset()  # files in memory that it maps


def life_of(main: int, run: Path) -> Life | None:
    """None where the engine does not run."""
    leader = identify(main) if main else None
    if leader is None:
        return None
    found = {one.pid: one.name for one in (*session_of(main), *below(main))}
    known = {who: name for pid, name in found.items() if (who := identify(pid)) is not None}
    mark = str(_record(run).get("mark") or (_record(run).get("main") or {}).get("mark") or "")
    return Life(leader, mark, known, sum(_pss(who.pid) for who in known), _mapped(known))


@dataclass(frozen=True)
class Ending:
    """How one life ended. Seconds on the boot clock; `began` is the next life's start.

    `outlived`: who was there when the next main process was; `left`: MiB of
    files in memory that nobody holds.
    """

    held: float
    processes: int
    began: float | None = None
    last_death: float | None = None
    outlived: tuple[str, ...] = ()
    left: float = 0.0

    @property
    def gap(self) -> float | None:
        """Seconds from the last death of the old life to the start of the new one."""
        if self.began is None or self.last_death is None:
            return None
        return self.began - self.last_death


class Vigil(threading.Thread):
    """Watches one life in a thread of its own: deaths by pidfds, the next life by the unit's record."""

    def __init__(self, life: Life, run: Path) -> None:
        super().__init__(name="vigil", daemon=True)
        self.life, self._run, self._over = life, run, threading.Event()
        self.died: dict[Identity, float] = {}
        self.successor: Identity | None = None
        self.outlived: list[str] = []

    def end(self) -> Ending:
        self._over.set()
        self.join()
        began = None if self.successor is None else self.successor.start / os.sysconf("SC_CLK_TCK")
        gone = len(self.died) == len(self.life.processes)
        return Ending(
            held=self.life.held,
            processes=len(self.life.processes),
            began=began,
            last_death=max(self.died.values()) if gone and self.died else None,
            outlived=(*self.outlived, *self._late(began)),
            left=left_in_memory(self.life.shared) if gone else 0.0,
        )

    def _late(self, began: float | None) -> Iterable[str]:
        if began is None:
            return ()
        late = {who: at - began for who, at in self.died.items() if at > began + SLACK}
        return [f"{self.life.processes[who]} ({who.pid}) died {by:.2f} s after" for who, by in late.items()]

    def run(self) -> None:
        poll, names = select.poll(), dict[int, Identity]()
        for who in self.life.processes:
            handle = _opened(who)
            if handle is None:
                self.died[who] = _boottime()
            else:
                names[handle] = who
                poll.register(handle, select.POLLIN)
        try:
            while not self._over.is_set() and self.successor is None:
                self._turn(poll, names, TURN)
        finally:
            for handle in names:
                os.close(handle)

    def _turn(self, poll: "select.poll", names: dict[int, Identity], seconds: float) -> None:
        for handle, _ in poll.poll(1000 * seconds):
            self.died[names.pop(handle)] = _boottime()
            poll.unregister(handle)
            os.close(handle)
        if not names or self.life.leader in self.died:
            self._look(names)

    def _look(self, names: dict[int, Identity]) -> None:
        leader = (_record(self._run).get("main") or {}).get("leader") or {}
        found = Identity(int(leader.get("pid", 0)), int(leader.get("start", 0)))
        if not found.pid or found == self.life.leader or not alive(found):
            return
        self.successor = found
        there = {*members(Family(self.life.leader, self.life.mark))}
        there |= {who for who in names.values() if alive(who)}
        self.outlived = [f"{self.life.processes.get(who, 'a late one')} ({who.pid}) lives" for who in there]


def left_in_memory(files: Iterable[str]) -> float:
    """MiB of files in memory that are still there; who mapped them is dead."""
    sizes = [Path(name).stat().st_blocks * 512 for name in files if Path(name).exists()]
    return round(sum(sizes) / 2**20, 2)


def _opened(who: Identity) -> int | None:
    try:
        handle = os.pidfd_open(who.pid)
    except OSError:
        return None
    if identify(who.pid) == who:
        return handle
    os.close(handle)
    return None


def _record(run: Path) -> dict[str, Any]:
    try:
        found = json.loads((run / "units" / "engine.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _pss(pid: int) -> float:
    try:
        return use_of(pid).pss
    except (OSError, StopIteration):
        return 0.0


def _mapped(processes: Iterable[Identity]) -> frozenset[str]:
    found: set[str] = set()
    for who in processes:
        try:
            lines = Path(f"/proc/{who.pid}/maps").read_text().splitlines()
        except OSError:
            continue
        found |= {line[line.index(SHM) :] for line in lines if SHM in line and not line.endswith("(deleted)")}
    return frozenset(found)


def _boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
