"""Follows one life of a container: finds or starts it, waits for its end, and says how it ended.

Each phase has its bound. While the daemon is away or hangs, the life is still seen to its end.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from inferagent.adapters.docker.container import Container
from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.life import Life, seen
from inferagent.adapters.docker.note import Note, find, leave, note_policy
from inferagent.adapters.docker.wire import DaemonError, Trouble
from inferagent.adapters.files import why
from inferagent.ports import PortError
from inferagent.programs.container_outside import Patience, Places, stop_unit, to_stderr, to_systemd

# Exit codes: only a person can help; no daemon; there is a new life to follow.
HOPELESS, AWAY, AGAIN = 78, 69, 75
LINES = 20  # of the container's log, told at its end


@dataclass(slots=True)
class Follower:
    """`run` returns the exit code. `stop` in seconds; `say`, `notify` and `stop_unit` reach outside."""

    docker: Docker
    name: str
    unit: str
    stop: float
    places: Places
    patience: Patience = field(default_factory=Patience)
    say: Callable[[str], None] = to_stderr
    notify: Callable[..., None] = to_systemd
    stop_unit: Callable[[str], bool] = stop_unit
    _life: Life | None = None

    async def run(self, told: asyncio.Event) -> int:
        """Until the container's life has ended, or `told` is set and it was stopped."""
        with contextlib.ExitStack() as held:
            code = await _unless(told, self._followed(held))
            return await self._stopped() if code is None else code

    async def _followed(self, held: contextlib.ExitStack) -> int:
        try:
            container = await self._running()
        except _GiveUpError as end:
            self._tell(str(end))
            return end.code
        except PortError as error:
            self._tell(str(error))
            return 1
        self._life = held.enter_context(seen(self.docker, container, self.places.proc))
        since = time.time()
        pid = container.pid if self._life.seen_by_kernel else 0
        self._note(Note(os.getpid(), pid, find(self.name, self.places.run).ended))
        self.say(f"following the container {self.name} ({container.id[:12]}, pid {container.pid})")
        self.notify("READY=1", f"STATUS=the container {self.name} runs")
        await self._life.ended(self.say)
        self._life = None
        return await self._ended(container, since)

    # the begin

    async def _running(self) -> Container:
        container = await self._found()
        await self._take_over(container)
        if not container.runs:
            self.say(f"starting the container {self.name}")
            await self.docker.start(container.id)
        now = await self.docker.inspect(container.id)
        if now is None or not now.runs:
            ending = now.ending if now else "it is gone"
            raise _GiveUpError(f"the container {self.name} ended at once: {ending}", 1)
        return now

    async def _found(self) -> Container:
        """Looks until there is one; _GiveUpError when patience ends."""
        begun, told = time.monotonic(), ""
        absent: float | None = None
        while True:
            now = time.monotonic()
            try:
                container = await self.docker.inspect(self.name)
            except DaemonError as error:
                if error.trouble is Trouble.DENIED:
                    raise _GiveUpError(str(error), HOPELESS) from error
                if now - begun >= self.patience.daemon:
                    raise _GiveUpError(str(error), AWAY) from error
                says, absent = str(error), None
            else:
                if container is not None and not container.leaves:
                    return container
                absent = now if absent is None else absent
                says = f"there is no container {self.name}: waiting for its owner to make it again"
                if now - absent >= self.patience.owner:
                    raise _GiveUpError(missing(self.name, self.unit), HOPELESS)
            if says != told:
                self._tell(told := says)
            await asyncio.sleep(self.patience.pause)

    async def _take_over(self, container: Container) -> None:
        """Two that restart one thing would fight; the policy that was is noted for undo."""
        if container.policy in ("no", ""):
            return
        try:
            note_policy(self.name, container.id, container.policy, container.retries, self.places.run)
        except OSError as error:
            self.say(f"cannot note the restart policy {container.policy} of {self.name}: {why(error)}")
        await self.docker.set_policy(container.id, "no")
        self.say(f"docker's restart policy of {self.name} was {container.policy}: now systemd restarts it")

    # the end

    async def _ended(self, before: Container, since: float) -> int:
        try:
            async with asyncio.timeout(self.patience.ending):
                now = await self._after(before)
        except TimeoutError:
            return self._end("it ended, and docker does not say how", 1)
        if now is None or now.leaves:
            return self._end(f"somebody removed the container {self.name}", 1)
        if now.runs:
            return self._end("somebody restarted it through docker", AGAIN)
        await self._tell_log(now)
        if await self._by_a_person(now, since):
            self._end("somebody stopped it through docker", 0)
            if self.stop_unit(self.unit):
                await asyncio.sleep(self.patience.ending)  # until systemd tells us to go
            return now.exit_code
        return self._end(now.ending, now.exit_code)

    async def _after(self, before: Container) -> Container | None:
        """Once the daemon knows of the end itself; and a removal is seen to its end."""
        while True:
            with contextlib.suppress(PortError):
                now = await self.docker.inspect(before.id)
                if now is None or not now.runs or now.started != before.started:
                    return now
            await asyncio.sleep(self.patience.pause / 5)

    async def _by_a_person(self, container: Container, since: float) -> bool:
        """Whether somebody had docker stop it for good. Without a word to docker nothing is waited for."""
        end = time.monotonic() + 2 * self.patience.pause
        with contextlib.suppress(PortError):
            while "stop" not in (told := await self.docker.told(container.id, since, time.time())):
                if not told or time.monotonic() >= end:
                    return False
                await asyncio.sleep(self.patience.pause / 5)
            now = await self.docker.inspect(container.id)
            return now is not None and not now.runs
        return False

    async def _tell_log(self, container: Container) -> None:
        with contextlib.suppress(PortError):
            for line in await self.docker.last_lines(container.id, LINES):
                self.say(f"  {line}")

    # the stop

    async def _stopped(self) -> int:
        if self.places.let_go(self.name).exists():
            self.say(f"letting go of the container {self.name}: it goes on without us")
            return 0
        self.notify("STOPPING=1", f"STATUS=stopping the container {self.name}")
        self._note(Note())
        try:
            container = await self.docker.inspect(self.name)
        except PortError as error:  # then its own time to end is not spent on a daemon that hangs
            self.say(str(error))
            return await self._ended_past_docker(signal.SIGTERM)
        if container is None or not container.runs:
            return 0
        try:
            await self.docker.stop(container.id, self.stop)
        except PortError as error:
            self.say(str(error))
            return await self._ended_past_docker(signal.SIGKILL)
        return 0

    async def _ended_past_docker(self, first: signal.Signals) -> int:
        life = self._life
        if life is None:
            return 1
        for which, seconds in ((first, self.stop), (signal.SIGKILL, self.patience.kill)):
            if not life.signal(which):
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.patience.kill if which is signal.SIGKILL else seconds):
                    await life.ended(self.say)
                    self.say(f"ended the container {self.name} past docker by {which.name}")
                    return 0
        self.say(f"cannot stop the container {self.name}: docker does not, and past it there is no way")
        return 1

    def _end(self, text: str, code: int) -> int:
        self._note(Note(0, 0, text))
        self._tell(f"the container {self.name} has ended: {text}")
        return 1 if code == HOPELESS else code  # ours alone to say: systemd would start it no more

    def _tell(self, text: str) -> None:
        self.say(text)
        self.notify(f"STATUS={text.splitlines()[0]}")

    def _note(self, note: Note) -> None:
        try:
            leave(self.name, note, self.places.run)
        except OSError as error:
            self.say(f"cannot leave a note in {self.places.run}: {why(error)}")


def missing(name: str, unit: str) -> str:
    return (
        f"there is no container {name}: make it again (docker run -d --name {name} …), then "
        f"sudo systemctl start {unit}; or sudo inferagent setup --undo"
    )


class _GiveUpError(Exception):
    """The program ends with this code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


async def _unless(told: asyncio.Event, work: Awaitable[int]) -> int | None:
    """What the work comes to; None when `told` was set first, and the work is broken off."""
    async with asyncio.TaskGroup() as group:
        working, waiting = group.create_task(_of(work)), group.create_task(told.wait())
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finished = working.done()
        working.cancel()
        waiting.cancel()
    return working.result() if finished else None


async def _of(work: Awaitable[int]) -> int:
    return await work
