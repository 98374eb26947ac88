"""Probes: each looks at one thing in a task of its own, at its own pace, into one slot; no tick waits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from inferagent.model.reading import Failed, Reading, Value
from inferagent.ports import Clock, PortError

log = structlog.get_logger()
T = TypeVar("T")


@dataclass
class Probe(Generic[T]):
    """`take` looks once, within `deadline` seconds; `write` gets the reading, dated by when the look began.

    `pace` is read before each look: seconds between two looks, None = none until it is paced again.
    """

    name: str
    clock: Clock
    take: Callable[[], Awaitable[T]]
    write: Callable[[Reading[T]], None]
    deadline: float
    pace: float | None = None
    _nudge: asyncio.Event = field(default_factory=asyncio.Event)
    _begun: float = float("-inf")

    def set_pace(self, pace: float | None) -> None:
        """Take a new pace; a quicker one takes effect at once."""
        quicker = pace is not None and (self.pace is None or pace < self.pace)
        self.pace = pace
        if quicker and pace is not None and self.clock.now() - self._begun >= pace:
            self.nudge()
        elif quicker:
            self._rearm()

    def nudge(self) -> None:
        """Look again now."""
        self._begun = float("-inf")
        self._rearm()

    def _rearm(self) -> None:
        self._nudge.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._due()
            self._begun = self.clock.now()
            self.write(await self._look(self._begun))

    async def _due(self) -> None:
        while True:
            self._nudge.clear()
            wait = None if self.pace is None else self._begun + self.pace - self.clock.now()
            if self._begun == float("-inf") and self.pace is not None:
                return
            if wait is not None and wait <= 0:
                return
            try:
                async with asyncio.timeout(wait):
                    await self._nudge.wait()
            except TimeoutError:
                return

    async def _look(self, begun: float) -> Reading[T]:
        try:
            async with asyncio.timeout(self.deadline):
                return Value(await self.take(), begun)
        except TimeoutError:
            return Failed(f"cannot read {self.name} within {self.deadline:.0f} s", begun)
        except PortError as problem:
            return Failed(str(problem), begun)
        except Exception as bug:
            log.exception("probe failed by a bug", probe=self.name)
            return Failed(f"internal error in the probe of {self.name}: {bug!r}", begun)
