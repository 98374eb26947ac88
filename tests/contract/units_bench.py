"""What the contract suite needs from one kind of unit: to make one, to lose its agent, to look at it."""

import asyncio
import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from inferagent.adapters.clock import BootClock
from inferagent.adapters.units.child import ChildUnit
from inferagent.adapters.units.command import Command, Manners
from inferagent.model.reading import Reading, Value
from inferagent.model.unit import Unit, UnitState
from inferagent.ports import UnitPort

QUICK = Manners(restart=0.15, burst=5, window=10.0, stop=1.0, leftovers=0.3, sure=2.0)


async def until(condition: Callable[[], bool], what: str = "", bound: float = 5.0) -> None:
    """Look every few ms until the condition holds; fails by name after `bound` seconds."""
    end = time.monotonic() + bound
    while not condition():
        assert time.monotonic() < end, f"not within {bound} s: {what}"
        await asyncio.sleep(0.005)


def running(pid: int) -> bool:
    """Whether the process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@dataclass
class Seen:
    """Every reading that the watch wrote."""

    readings: list[Unit] = field(default_factory=list)

    def write(self, reading: Reading[Unit]) -> None:
        assert isinstance(reading, Value)
        self.readings.append(reading.value)

    @property
    def last(self) -> Unit:
        return self.readings[-1] if self.readings else Unit(UnitState.STOPPED)

    async def state(self, state: UnitState, bound: float = 5.0) -> Unit:
        await until(
            lambda: bool(self.readings) and self.last.state is state, f"{state}, is {self.last}", bound
        )
        return self.last


@dataclass(frozen=True)
class Missing:
    """A part that is not there yet: what is said of it, and what makes it appear."""

    unit: UnitPort
    said: str
    appear: Callable[[], None]


class Bench(ABC):
    """One kind of unit. `restarts_within` seconds it would have restarted what it is to restart."""

    restarts_within: float

    @abstractmethod
    def make(self, *argv: str) -> UnitPort:
        """A port on the unit; a second call is the next agent's."""

    @abstractmethod
    def missing(self, folder: Path) -> Missing: ...

    @abstractmethod
    def log(self) -> str:
        """What the unit has printed."""

    @abstractmethod
    def clean(self) -> None:
        """End what tests left running."""

    @asynccontextmanager
    async def watched(self, unit: UnitPort) -> AsyncIterator[Seen]:
        seen = Seen()
        task = asyncio.create_task(unit.watch(seen.write))
        try:
            await until(lambda: bool(seen.readings) or task.done(), "a first reading")
            yield seen
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.saw(seen)

    @abstractmethod
    def saw(self, seen: Seen) -> None:
        """What a watch has seen, once it is over."""


class ChildBench(Bench):
    """Units that are children of the agent."""

    restarts_within = 0.3

    def __init__(self, folder: Path) -> None:
        self._run = folder / "run"
        self._pids: set[int] = set()

    def make(
        self, *argv: str, manners: Manners = QUICK, name: str = "engine", **environment: str
    ) -> ChildUnit:
        return ChildUnit(Command(name, argv, environment), self._run, BootClock(), manners)

    def missing(self, folder: Path) -> Missing:
        program = folder / "engine"

        def appear() -> None:
            program.write_text("#!/bin/sh\nexec sleep 300\n")
            program.chmod(0o755)

        return Missing(self.make(str(program)), f"there is no program {program}", appear)

    def log(self) -> str:
        return (self._run / "units/engine.log").read_text()

    def saw(self, seen: Seen) -> None:
        self._pids |= {unit.main_pid for unit in seen.readings if unit.main_pid}

    def clean(self) -> None:
        """Their sessions only."""
        for pid in self._pids:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def sleeper(*extra: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", "; ".join((*extra, "exec sleep 300")))


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", code)
