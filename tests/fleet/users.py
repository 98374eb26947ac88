"""Who is on a host's GPU: its engine, a desktop that is always there, and sometimes somebody who plays."""

from dataclasses import dataclass, replace

from tests.fleet.process import Process

from inferagent.model.gpu import GpuProcess
from inferagent.model.reading import Failed, Reading, Value

XORG = GpuProcess(900, 200_000_000, "graphics", "Xorg", (1,))
GAME = GpuProcess(4242, 11_000_000_000, "compute", "blender", (800, 1))
WEIGHTS = 18_000_000_000
SEEN = 12.0  # seconds in which the agent has surely looked


@dataclass
class Users:
    """`changed_at`: fleet time at which one last came or left. `unseen`: the driver does not name them."""

    others: tuple[GpuProcess, ...] = (XORG,)
    unseen: bool = False
    changed_at: float = float("-inf")

    def put(self, now: float, *others: GpuProcess) -> None:
        self.others, self.changed_at = others, now

    def restart_desktop(self, now: float) -> None:
        """Another pid, the same name."""
        renamed = (replace(one, pid=one.pid + 1) if one.name == "Xorg" else one for one in self.others)
        self.put(now, *renamed)

    def processes(self, engine: Process, now: float) -> Reading[tuple[GpuProcess, ...]]:
        if self.unseen:
            return Failed("cannot list the processes", now)
        unit = engine.unit()
        own = (GpuProcess(unit.main_pid + 1000, WEIGHTS, "compute", "python3", (unit.main_pid, 1)),)
        return Value((*(own if unit.alive else ()), *self.others), now)

    def names(self) -> set[str]:
        return {one.name for one in self.others}
