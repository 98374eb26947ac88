"""Does an engine without counters work? Totals that grow only while it does.

Counted: bytes that it answers with, CPU seconds and memory of its runner. Not counted, so that a hung engine
under traffic looks hung: bytes that merely arrive (the kernel takes them), answers to questions asked and
answered between two looks (lists, health), and an idle process's ticking.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from inferagent.adapters.engine.processes import Usage
from inferagent.adapters.engine.sockets import Connection, Owner

IDLE_SHARE = 0.005
IDLE_SECONDS = 0.01
MEMORY_STEP = 4 << 20


@dataclass(slots=True)
class Answers:
    """Bytes sent on others' connections that were asking at the last look, or were asked nothing since."""

    total: int = 0
    _before: dict[object, Connection] = field(default_factory=dict)

    def add(self, found: Iterable[Connection]) -> int:
        now: dict[object, Connection] = {one.key: one for one in found if one.owner is not Owner.AGENT}
        self.total += sum(_streamed(one, self._before.get(key)) for key, one in now.items())
        self._before = now
        return self.total


def _streamed(now: Connection, before: Connection | None) -> int:
    if before is None or not (before.asking or now.received == before.received):
        return 0
    return max(0, now.sent - before.sent)


@dataclass(slots=True)
class Work:
    """CPU seconds and memory growth of some processes, above what an idle one shows. `at` in seconds."""

    cpu: float = 0.0
    memory: int = 0
    _at: float | None = None
    _marks: dict[tuple[int, float], tuple[float, int]] = field(default_factory=dict)

    def add(self, found: Iterable[Usage], at: float) -> tuple[float, int]:
        least = max(IDLE_SECONDS, IDLE_SHARE * (at - self._at)) if self._at is not None else 0.0
        marks: dict[tuple[int, float], tuple[float, int]] = {}
        for one in found:
            cpu, memory = self._marks.get((one.pid, one.started), (0.0, 0))
            spent, grown = one.cpu_seconds - cpu, one.memory_bytes - memory
            self.cpu += spent if spent > least else 0.0
            # Memory is marked where it last counted, so that slow growth adds up; CPU time is not.
            self.memory += grown if grown >= MEMORY_STEP else 0
            marks[(one.pid, one.started)] = (
                one.cpu_seconds,
                one.memory_bytes if grown >= MEMORY_STEP else memory,
            )
        self._marks, self._at = marks, at
        return round(self.cpu, 3), self.memory
