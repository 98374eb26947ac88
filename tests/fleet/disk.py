"""A host's disk: saved state and hold as bytes that survive the agent and the boot, and its ways to fail."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from inferagent.adapters.fault_file import with_faults
from inferagent.adapters.saved_state import decode, encode, outdated
from inferagent.model.desired import Hold
from inferagent.model.saved import Cleared, Fault, Saved
from inferagent.ports import PortError


@dataclass
class Disk:
    """`full`: takes nothing. The runtime folder (`makeshift`, `faults`, `cleared`) is empty after a boot."""

    full: bool = False
    state: bytes = b""
    previous: bytes = b""
    old: bytes = b""
    hold: Hold | None = None
    makeshift: Hold | None = None
    faults: tuple[Fault, ...] = ()
    cleared: tuple[Cleared, ...] = ()

    def torn(self, share: float = 0.5) -> None:
        self.state = self.state[: int(len(self.state) * share)]

    def saved(self) -> Saved | None:
        """As an agent that starts now would read it."""
        return with_faults(self._saved(), self.faults, self.cleared)

    def _saved(self) -> Saved | None:
        """An older generation knows nothing of the pool."""
        found = _read(self.state)
        if found:
            return found
        for content in (self.old, self.previous):
            found = _read(content)
            if found:
                return outdated(found)
        return None


@lru_cache(maxsize=256)
def _read(content: bytes) -> Saved | None:
    try:
        return decode(content) if content else None
    except ValueError:
        return None


class DiskState:
    """The StatePort of one life of the agent. `effect` is told what is about to be done, and what was."""

    def __init__(self, disk: Disk, effect: Callable[[str], None]) -> None:
        self._disk, self._effect = disk, effect

    def load(self) -> Saved | None:
        return self._disk.saved()

    def save(self, saved: Saved) -> None:
        disk = self._disk
        self._effect("before save")
        disk.faults, disk.cleared = saved.faults, saved.cleared
        if disk.full:
            if disk.state:
                disk.old, disk.state = disk.state, b""
            raise PortError("cannot save the state: no space left on device")
        disk.previous, disk.state = disk.state or disk.previous, encode(saved)
        self._effect("after save")

    def load_hold(self) -> Hold | None:
        return self._disk.makeshift or self._disk.hold

    def save_hold(self, hold: Hold | None) -> None:
        disk = self._disk
        self._effect("before hold")
        if disk.full and hold is not None:
            disk.makeshift = replace(hold, durable=False)
            raise PortError("cannot save the hold: no space left on device")
        disk.hold = replace(hold, durable=True) if hold else None
        disk.makeshift = None
        self._effect("after hold")
