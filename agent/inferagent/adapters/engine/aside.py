"""Blocking reads of /proc and netlink beside the loop: one at a time, and given up when they hang.

A process stuck in the kernel can hang whoever reads its /proc entries; a daemon thread that hangs costs
one thread, delays no tick and no exit.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from inferagent.ports import PortError

T = TypeVar("T")
X = TypeVar("X")


class Aside:
    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None

    async def read(self, work: Callable[[], T], timeout: float) -> T:
        """The result of `work`; PortError for an OSError, after `timeout` seconds, and while one hangs."""
        if self._thread is not None and self._thread.is_alive():
            raise PortError(f"cannot read {self._name}: an earlier read still hangs")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            try:
                result = work()
            except OSError as error:
                _tell(loop, done, done.set_exception, error)
            else:
                _tell(loop, done, done.set_result, result)

        self._thread = threading.Thread(target=run, name=f"reads {self._name}", daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(timeout):
                return await done
        except TimeoutError:
            raise PortError(f"cannot read {self._name}: no end after {timeout:.1f} s") from None
        except OSError as error:
            raise PortError(f"cannot read {self._name}: {error}") from error


def _tell(
    loop: asyncio.AbstractEventLoop, done: asyncio.Future[T], word: Callable[[X], None], what: X
) -> None:
    def settle() -> None:
        if not done.done():
            word(what)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop has ended, and nobody waits any more
