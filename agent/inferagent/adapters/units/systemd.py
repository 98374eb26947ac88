"""A unit of systemd: watched over the system bus, started and stopped through the verb sockets.

Each change is judged and written in the moment in which its signal is read.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from inferagent.adapters.docker.note import FOLDER, told
from inferagent.adapters.pids import identify
from inferagent.adapters.units.cgroup import ROOT, processes
from inferagent.adapters.units.systemd_judge import Judge
from inferagent.adapters.units.systemd_link import Link
from inferagent.adapters.units.systemd_properties import Properties
from inferagent.adapters.units.systemd_record import load, save
from inferagent.adapters.units.verbs import Verbs
from inferagent.model.reading import Failed, Reading, Value
from inferagent.model.unit import Part, Unit, UnitState
from inferagent.ports import Clock, PortError

_log = structlog.get_logger(__name__)

LEFTOVERS = 0.1  # seconds between two looks at processes that are left over: their end sends no signal
RECONNECTS = 0.2, 5.0  # seconds: at first, and at most


@dataclass(frozen=True, slots=True)
class Where:
    """Where systemd is met. `bus` is an address, None for the system's own."""

    bus: str | None = None
    cgroups: Path = ROOT
    notes: Path = FOLDER  # of those who follow containers


class SystemdUnit:
    """The UnitPort of the unit `name`."""

    def __init__(
        self,
        part: Part,
        name: str,
        run: Path,
        clock: Clock,
        verbs: Verbs | None = None,
        where: Where | None = None,
    ) -> None:
        self._clock = clock
        self._verbs = verbs or Verbs(part, name)
        self._record_path = run / "units" / f"{part}-unit.json"
        self._saved = load(self._record_path, clock.boot(), name)
        self._judge = Judge(self._saved, lambda: clock.now() - time.monotonic())
        self._where = where or Where()
        self._link = Link(name, self._told, self._where.bus)
        self._properties: Properties | None = None  # None: they cannot be read
        self._left: frozenset[int] = frozenset()
        self._last: Unit | None = None
        self._deeds = asyncio.Lock()
        self._wake = asyncio.Event()
        self._write: Callable[[Reading[Unit]], None] | None = None

    async def watch(self, write: Callable[[Reading[Unit]], None]) -> None:
        self._write = write
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_link())
                group.create_task(self._look_again())
        finally:
            self._write = None

    async def start(self) -> None:
        async with self._deed():
            await self._verbs.ask("start")

    async def stop(self) -> None:
        async with self._deed():
            self._judge.asked_to_stop()
            self._save()  # first: the agent after us must not take it for a person's
            try:
                await self._verbs.ask("stop")
            except PortError as error:
                if error.refused:  # else systemd may still be at it
                    self._judge.not_stopped()
                raise

    async def restart(self) -> None:
        async with self._deed():
            await self._verbs.ask("restart")

    @asynccontextmanager
    async def _deed(self) -> AsyncIterator[None]:
        """One at a time; what came of it is read and written before it counts as done."""
        async with self._deeds:
            self._judge.deed = True
            try:
                yield
                with suppress(PortError):  # the watch says what is wrong with the bus
                    await self._link.read()
            finally:
                self._judge.end_deed()
                self._wake.set()

    async def _keep_link(self) -> None:
        wait, longest = RECONNECTS
        while True:
            try:
                await self._link.follow()
            except PortError as error:
                if self._properties:
                    wait = RECONNECTS[0]
                self._properties = self._last = None
                self._tell(Failed(str(error), self._clock.now()))
            await asyncio.sleep(wait)
            wait = min(longest, 2 * wait)

    async def _look_again(self) -> None:
        """At what changes without a signal: a state that has to settle, and processes that are left over."""
        while True:
            self._wake.clear()
            ends = [self._judge.settles_at] if self._judge.settles_at is not None else []
            if self._left:
                ends.append(self._clock.now() + LEFTOVERS)
            wait = max(0.0, min(ends) - self._clock.now()) if ends else None
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            if self._properties:
                self._look(self._properties)

    def _told(self, properties: Properties) -> None:
        begun = self._properties is None or properties.invocation != self._properties.invocation
        self._properties = properties
        if begun and not properties.group:
            self._link.reread()  # no signal says which control group a new life is in
        self._look(properties)
        if self._judge.settles_at is not None or self._left:
            self._wake.set()

    def _look(self, properties: Properties) -> None:
        unit = self._judge.see(properties, self._clock.now())
        unit = replace(unit, leftovers=self._count(properties, unit.state))
        unit = told(unit, self._saved.unit, self._where.notes)
        unsettled = self._last is None and self._judge.settles_at is not None
        if unit != self._last and not unsettled:
            self._last = unit
            self._tell(Value(unit, self._clock.now()))
        self._save()

    def _count(self, properties: Properties, state: UnitState) -> int:
        """Processes of an earlier life; beside a main process, or what prepares it: those known before."""
        if properties.main or state is UnitState.STARTING:
            still = self._left and self._left & self._processes(properties)
            self._left = frozenset(pid for pid in still if _older(pid, properties.main))
        else:
            self._left = self._processes(properties) - {properties.control}
        return len(self._left)

    def _processes(self, properties: Properties) -> frozenset[int]:
        return processes(properties.group, self._where.cgroups)

    def _tell(self, reading: Reading[Unit]) -> None:
        if self._write is not None:
            self._write(reading)

    def _save(self) -> None:
        """A full disk stops no reading: the next agent knows less."""
        if self._judge.record == self._saved:
            return
        self._saved = self._judge.record
        try:
            save(self._record_path, self._saved)
        except PortError as error:
            _log.warning("unit not recorded", unit=self._saved.unit, error=str(error))


def _older(pid: int, main: int) -> bool:
    """A look between two signals may find the next life's processes already: they are not left over."""
    one, life = identify(pid), identify(main) if main else None
    return pid != main and (one is None or life is None or one.start < life.start)
