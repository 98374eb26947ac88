"""Blocking reads of /proc, netlink and disks beside the loop: one at a time, and given up when they hang.

A process stuck in the kernel can hang whoever reads its /proc entries; a daemon thread that hangs costs
one thread, delays no tick and no exit.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from inferagent.ports import PortError

T = TypeVar("T")


class Aside:
    def __init__(self, name: str) -> None:
        self._name = name
        self._turn = asyncio.Lock()
        self._busy = False  # also while nobody waits any more for a read that hangs

    async def read(self, work: Callable[[], T], timeout: float) -> T:
        """The result of `work`; PortError for an OSError, after `timeout` seconds, and while one hangs."""
        try:
            async with asyncio.timeout(timeout), self._turn:
                if self._busy:
                    raise PortError(f"cannot read {self._name}: an earlier read still hangs")
                return await self._begun(work)
        except TimeoutError:
            raise PortError(f"cannot read {self._name}: no end after {timeout:.1f} s") from None
        except OSError as error:
            raise PortError(f"cannot read {self._name}: {error}") from error

    def _begun(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            try:
                settle = partial(done.set_result, work())
            except OSError as error:
                settle = partial(done.set_exception, error)
            finally:
                self._busy = False
            _tell(loop, done, settle)

        self._busy = True
        threading.Thread(target=run, name=f"reads {self._name}", daemon=True).start()
        return done


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[T], settle: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(lambda: None if done.done() else settle())
    except RuntimeError:
        return  # the loop has ended, and nobody waits any more
