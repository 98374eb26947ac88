"""Keeps the properties of one unit true: read whole at first and now and then, and from each signal between.

systemd sends two signals a change, the service's and then the unit's: only after the second do they describe
one moment. What a signal said while a reading was under way is newer than the reading.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from inferagent.adapters.units.systemd_bus import ANSWERS, Bus, connect, plain
from inferagent.adapters.units.systemd_properties import NAMES, UNIT, Properties, merge
from inferagent.ports import PortError

HEARTBEAT = 10.0  # seconds between two whole readings: they show a bus that hangs, and what sends no signal


class Link:
    """`told` is called with each new state of the properties. `address`: of another bus than the system's."""

    def __init__(
        self,
        unit: str,
        told: Callable[[Properties], None],
        address: str | None = None,
        heartbeat: float = HEARTBEAT,
        answers: float = ANSWERS,
    ) -> None:
        self._unit, self._told, self._address = unit, told, address
        self._heartbeat, self._answers = heartbeat, answers
        self._properties = Properties()
        self._object = ""
        self._bus: Bus | None = None
        self._complete = False
        self._newer: set[tuple[str, str]] = set()
        self._reading = asyncio.Lock()
        self._stale = asyncio.Event()

    async def follow(self) -> None:
        """Ends with PortError only: the bus is gone, or systemd does not answer."""
        problem = PortError("cannot ask systemd: the connection to the system bus is lost")
        self._object, self._complete = "", False
        try:
            async with connect(self._hear, self._address, self._answers) as bus, asyncio.TaskGroup() as group:
                self._bus = bus
                keeping = group.create_task(self._keep())
                await bus.closed()
                keeping.cancel()
        except* PortError as errors:
            problem = _first(errors)
        finally:
            self._bus, self._complete = None, False
        raise problem

    async def read(self) -> None:
        """Read everything and tell it."""
        async with self._reading:
            bus = self._bus
            if bus is None:
                raise PortError(f"cannot read {self._unit}: there is no connection to the system bus")
            await self._locate(bus)
            self._newer.clear()
            values = await bus.read(self._object, list(NAMES))
            for (interface, name), value in zip(NAMES, values, strict=True):
                if (interface, name) not in self._newer:
                    self._properties = merge(self._properties, interface, {name: value})
            self._complete = True
        self._told(self._properties)

    def reread(self) -> None:
        """Soon, and without waiting for it."""
        self._stale.set()

    async def _keep(self) -> None:
        while True:
            self._stale.clear()
            await self.read()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat):
                    await self._stale.wait()

    async def _locate(self, bus: Bus) -> None:
        """Where the unit is; listening before reading, so that nothing falls between the two."""
        place = await bus.object_of(self._unit)
        if place != self._object:
            self._object = place
            await bus.watch(place)

    def _hear(self, path: str, member: str, body: Sequence[Any]) -> None:
        if member != "PropertiesChanged":
            if member == "NameOwnerChanged":
                self._object = ""  # another systemd, which nobody listens to yet
            if member != "Reloading" or not body[0]:
                self._stale.set()
        elif path == self._object:
            interface, values = body[0], plain(body[1])
            self._properties = merge(self._properties, interface, values)
            self._newer.update((interface, name) for name in values)
            if interface == UNIT and self._complete:
                self._told(self._properties)


def _first(errors: BaseExceptionGroup[PortError]) -> PortError:
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
