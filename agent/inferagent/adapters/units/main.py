"""The main process of one life, watched by a pidfd: its end is known at once, whoever its parent is."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress

from inferagent.adapters import process
from inferagent.adapters.pids import Family, Identity, identify


class Main:
    """Calls `ended` once, as soon as the process is over, with the exit code (None: it was not our child)."""

    def __init__(self, family: Family, handle: int, ended: Callable[[int | None], None]) -> None:
        self.family = family
        self._handle = handle
        self._ended = ended
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(handle, self._readable)

    @property
    def who(self) -> Identity:
        return self.family.leader

    def tell(self, number: signal.Signals) -> None:
        if self._over.is_set():
            return  # the handle's number may name another process by now
        with suppress(OSError):
            signal.pidfd_send_signal(self._handle, number)

    async def gone(self, bound: float) -> bool:
        """Whether it is over within `bound` seconds."""
        try:
            async with asyncio.timeout(bound):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    def _readable(self) -> None:
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        code = process.reap(self.who.pid)
        self._over.set()
        self._ended(code)


def attach(family: Family, ended: Callable[[int | None], None]) -> Main | None:
    """None when that life is over already; a pid that was given to another process counts as over."""
    try:
        handle = os.pidfd_open(family.leader.pid)
    except OSError:
        return None
    if identify(family.leader.pid) != family.leader:
        os.close(handle)
        return None
    return Main(family, handle, ended)


def describe(code: int | None) -> str:
    if code is None:
        return "ended, exit code unknown"
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
