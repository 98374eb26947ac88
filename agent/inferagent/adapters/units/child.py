"""A unit as a child process of the agent: restarted as systemd would (Restart=always), outliving the agent.

One watch task supervises. The end of the main process is published at once; then what is left of its session
is ended, then it is started again after its delay. A record in the runtime folder lets the next agent go on.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import structlog

from inferagent.adapters import pids, process
from inferagent.adapters.engine.aside import Aside
from inferagent.adapters.units import ending, output, record
from inferagent.adapters.units.command import Command, Manners
from inferagent.adapters.units.main import Main, attach, describe
from inferagent.model.reading import Reading, Value
from inferagent.model.unit import Unit, UnitState
from inferagent.ports import Clock, PortError

_log = structlog.get_logger(__name__)


class ChildUnit:
    """The UnitPort. SIGTERM goes to the main process alone: it knows best how to end its own."""

    def __init__(self, command: Command, run: Path, clock: Clock, manners: Manners | None = None) -> None:
        self.log = run / "units" / f"{command.name}.log"
        self._path = run / "units" / f"{command.name}.json"
        self._command = command
        self._clock = clock
        self._manners = manners or Manners()
        self._record = record.Record(clock.boot())
        self._adopted = False
        self._main: Main | None = None
        self._state = UnitState.STOPPED
        self._since = clock.now()
        self._due = self._tidy = 0.0  # when to start by ourselves, and when to end leftovers, at the earliest
        self._leftovers = 0
        self._said = ""
        self._aside = Aside(f"the processes of {command.name}")
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._write: Callable[[Reading[Unit]], None] | None = None

    async def watch(self, write: Callable[[Reading[Unit]], None]) -> None:
        self._write = write
        try:
            async with self._deed():
                pass
            async with asyncio.TaskGroup() as group:
                group.create_task(self._supervise())
                group.create_task(self._tend_files())
        finally:
            self._write = None

    async def start(self) -> None:
        async with self._deed():
            await self._start()

    async def stop(self) -> None:
        async with self._deed():
            self._note(wanted=False, gave_up=False)
            await self._end()

    async def restart(self) -> None:
        async with self._deed():
            await self._end()
            await self._start()

    def terminate(self) -> None:
        """One more SIGTERM to the main process, beside a stop that waits (cloudflared ends at the second)."""
        if self._main:
            self._main.tell(signal.SIGTERM)

    @asynccontextmanager
    async def _deed(self) -> AsyncIterator[None]:
        """One at a time; what a cancelled or failed one leaves is a state that supervision goes on from."""
        async with self._lock:
            self._adopt()
            try:
                yield
            finally:
                self._settle()
                self._wake.set()

    async def _start(self) -> None:
        self._note(wanted=True, gave_up=False, starts=())
        if self._main:
            return
        if not await self._end_leftovers():
            raise PortError(
                f"{self._cannot('start')}: {self._leftovers} processes of its earlier life do not end"
            )
        self._spawn()

    async def _end(self) -> None:
        if self._main:
            self._enter(UnitState.STOPPING)
            self._main.tell(signal.SIGTERM)
            self._main.tell(signal.SIGCONT)
            family = self._main.family
            if not await self._main.gone(self._manners.stop):
                self._main.tell(signal.SIGKILL)
                ending.kill(await ending.survivors_aside((family,), self._aside))
            if self._main and not await self._main.gone(self._manners.sure):
                raise PortError(f"{self._cannot('end')}: its main process survives SIGKILL")
        if not await self._end_leftovers():
            raise PortError(f"{self._cannot('end')}: {self._leftovers} of its processes survive SIGKILL")

    async def _end_leftovers(self) -> bool:
        past, manners = self._record.past, self._manners
        if not past:
            return True
        try:
            gone = await ending.end_all(past, manners.leftovers, manners.sure, self._count, self._aside)
        except PortError:
            self._tidy = self._clock.now() + manners.restart
            raise
        if gone:
            self._note(past=())
        else:
            self._tidy = self._clock.now() + manners.restart
        return gone

    def _spawn(self, own: tuple[float, ...] = ()) -> None:
        """The mark is on record before the start, the pid after it: no moment loses the child."""
        now = self._clock.now()
        self._due = now + self._manners.restart
        if self._command.missing():
            raise PortError(f"{self._cannot('start')}: there is no {self._command.argv[0]}", refused=True)
        mark = uuid4().hex
        self._record = replace(self._record, mark=mark, since=now, starts=(*self._recent(now), now))
        record.save(self._path, self._record)
        self._trim()
        environment = {**self._command.environment, pids.MARK: mark}
        pid = process.spawn(self._command.argv, extra=environment, cwd=self._command.cwd, log=self.log)
        who = pids.identify(pid)
        if who is None:
            raise PortError(f"{self._cannot('start')}: cannot read /proc/{pid}/stat")
        self._note(own_restarts=(*self._record.own_restarts, *own)[-record.KEPT_RESTARTS :])
        self._take(pids.Family(who, mark))

    # what became of it

    def _adopt(self) -> None:
        """Once: the processes that an earlier agent left, by its record."""
        if self._adopted:
            return
        self._adopted = True
        self._record = record.load(self._path, self._clock.boot())
        family = self._record.main
        if family is None and self._record.mark:
            leader = pids.leader_of(self._record.mark)
            family = pids.Family(leader, self._record.mark) if leader else None
        self._leftovers = len(ending.survivors(self._record.past))
        if family:
            self._take(family)

    def _take(self, family: pids.Family) -> None:
        self._note(main=family)
        self._main = attach(family, self._ended)
        if self._main is None:
            self._bury("ended while no agent watched")

    def _ended(self, code: int | None) -> None:
        self._bury(describe(code))
        self._wake.set()

    def _bury(self, how: str) -> None:
        """The main process is gone: said first of all. What it leaves is counted and ended by supervision."""
        family, self._main = self._record.main, None
        self._since = self._tidy = self._clock.now()
        self._due = self._since + self._manners.restart
        past = (*self._record.past, family) if family else self._record.past
        self._record = replace(self._record, main=None, mark="", past=past, exit=how)
        if self._lock.locked():  # a deed is under way: it settles what comes of this
            self._publish()
        else:
            self._settle()
        self._note()

    def _settle(self) -> None:
        if self._main:
            stopping = self._state is UnitState.STOPPING and not self._record.wanted
            self._enter(UnitState.STOPPING if stopping else UnitState.RUNNING)
        elif self._record.gave_up:
            self._enter(UnitState.FAILED)
        elif self._command.missing():
            self._enter(UnitState.MISSING)
        else:
            self._enter(UnitState.RESTARTING if self._record.wanted else UnitState.STOPPED)

    # supervision

    async def _supervise(self) -> None:
        while True:
            self._wake.clear()
            at = self._next()
            delay = None if at is None else at - self._clock.now()
            if delay is None or delay > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._wake.wait()
            else:
                await self._care()

    def _next(self) -> float | None:
        """When there is something to do; None: only an event brings something."""
        if self._record.past:
            return self._tidy
        waits = self._record.wanted and not self._record.gave_up
        return self._due if not self._main and (waits or self._state is UnitState.MISSING) else None

    async def _care(self) -> None:
        """End what is left over, then start again. What cannot be done now is tried after another delay."""
        try:
            async with self._deed():
                at = self._next()
                if at is not None and at <= self._clock.now():
                    await self._do_next()
            self._said = ""
        except PortError as error:
            if str(error) != self._said:
                _log.warning("unit not restarted", unit=self._command.name, error=str(error))
            self._said = str(error)

    async def _do_next(self) -> None:
        now = self._clock.now()
        if self._record.past:
            await self._end_leftovers()
        elif not self._record.wanted:
            self._due = now + self._manners.restart  # is it installed by now? settled after this deed
        elif len(self._recent(now)) >= self._manners.burst:
            burst, window = self._manners.burst, self._manners.window
            limit = f"gave up after {burst} starts in {window:g} s" if burst else "left so in mode observe"
            self._note(gave_up=True, exit=f"{limit}, the last: {self._record.exit}")
        else:
            self._spawn(own=(now,))

    async def _tend_files(self) -> None:
        """Without the record the next agent would not know what runs: a removed one is written anew."""
        while True:
            await asyncio.sleep(self._manners.log_look)
            await asyncio.to_thread(self._trim)
            if self._adopted and not self._path.exists():
                self._note()

    def _trim(self) -> None:
        """A log that cannot be shortened keeps nobody from being started."""
        try:
            output.trim(self.log, self._manners.log_bytes)
        except PortError as error:
            _log.warning("log not shortened", unit=self._command.name, error=str(error))

    def _enter(self, state: UnitState) -> None:
        if state is not self._state:
            self._state = state
            self._since = self._record.since if state is UnitState.RUNNING else self._clock.now()
        self._publish()

    def _publish(self) -> None:
        if self._write is None:
            return
        main = self._main.who if self._main else None
        lacks = f"there is no program {self._command.argv[0]}" if self._state is UnitState.MISSING else ""
        unit = Unit(
            state=self._state,
            incarnation=str(main) if main else "",
            main_pid=main.pid if main else 0,
            since=self._since,
            own_restarts=self._record.own_restarts,
            exit=lacks or self._record.exit,
            leftovers=self._leftovers,
        )
        self._write(Value(unit, self._clock.now()))

    def _count(self, left: int) -> None:
        self._leftovers = left
        self._publish()

    def _note(self, **changes: object) -> None:
        """Change the record. A full disk stops no stop and no supervision: the next agent knows less."""
        self._record = replace(self._record, **changes)  # type: ignore[arg-type]
        try:
            record.save(self._path, self._record)
        except PortError as error:
            _log.warning("unit not recorded", unit=self._command.name, error=str(error))

    def _recent(self, now: float) -> tuple[float, ...]:
        return tuple(at for at in self._record.starts if now - at < self._manners.window)

    def _cannot(self, deed: str) -> str:
        return f"cannot {deed} {self._command.name}"
