"""An event loop whose time is virtual: a wait of an hour costs nothing, and never anything but itself."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class _Leaping(selectors.DefaultSelector):
    """Instead of waiting for a time, moves the loop's clock there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing will ever happen: the test waits for an event that nobody sends")
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time, from second 0."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


def wall(seconds: float) -> str:
    """Display time; second 0 is noon."""
    return (NOON + timedelta(seconds=seconds)).isoformat(timespec="seconds")


class VirtualClock:
    """The Clock port on the running loop's time."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def boot(self) -> str:
        return "boot-1"

    def wall(self) -> str:
        return wall(self.now())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
