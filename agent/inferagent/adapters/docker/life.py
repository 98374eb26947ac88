"""The end of one life of a container, seen by the kernel's word on its first process where that can be had.

So it is seen at once, and also while the docker daemon hangs or is being replaced; only a daemon that counts
its processes otherwise than this machine has to be asked.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from inferagent.adapters.docker.container import Container, ours_to_watch
from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.wire import DaemonError, Trouble
from inferagent.ports import PortError

ASKED_AGAIN = 300.0  # seconds of one question that the daemon answers at the end only
PROC = Path("/proc")
PAUSE = 2.0  # seconds after a failed one


class Life:
    """Of a container that runs; made by `seen`."""

    def __init__(
        self, docker: Docker, container: Container, watched: int | None, pause: float = PAUSE
    ) -> None:
        self._docker, self._container, self._watched, self._pause = docker, container, watched, pause

    @property
    def seen_by_kernel(self) -> bool:
        return self._watched is not None

    async def ended(self, tell: Callable[[str], None]) -> None:
        """Returns when it has ended. `tell` hears what stands in the way of knowing, once each."""
        if self._watched is not None:
            await _readable(self._watched)
            return
        told = ""
        while True:
            try:
                if not await self._still():
                    return
                told = ""
            except PortError as error:
                if told != str(error):
                    tell(told := str(error))
                await asyncio.sleep(self._pause)

    async def _still(self) -> bool:
        try:
            await self._docker.wait(self._container.id, ASKED_AGAIN)
        except PortError as error:  # what that means the next question shows
            if not isinstance(error, DaemonError) or error.trouble is not Trouble.SILENT:
                await asyncio.sleep(self._pause)
        now = await self._docker.inspect(self._container.id)
        return now is not None and now.runs and now.started == self._container.started

    def signal(self, which: signal.Signals) -> bool:
        """Past the daemon; False where it cannot be reached that way."""
        if self._watched is None:
            return False
        try:
            signal.pidfd_send_signal(self._watched, which)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return True


@contextmanager
def seen(docker: Docker, container: Container, proc: Path = PROC) -> Iterator[Life]:
    watched = _watch(container, proc)
    try:
        yield Life(docker, container, watched)
    finally:
        if watched is not None:
            os.close(watched)


def _watch(container: Container, proc: Path) -> int | None:
    """The number may have been given again since: who has it is asked once it is held."""
    try:
        handle = os.pidfd_open(container.pid)
    except (OSError, OverflowError):
        return None
    if ours_to_watch(container, proc):
        return handle
    os.close(handle)
    return None


async def _readable(handle: int) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
