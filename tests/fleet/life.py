"""One life of an agent: the real loop, board, jobs and probes on this host's ports, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.fleet.disk import DiskState
from tests.fleet.ports import (
    CHECK_DEADLINE,
    CHECK_EVERY,
    Connector,
    EngineEyes,
    Membership,
    Supervisor,
    Verdict,
    check,
    gpus,
    host_look,
)
from tests.property.laws import Tick

from inferagent.model.decision import Decision
from inferagent.model.desired import Desired
from inferagent.model.reading import Reading, Value
from inferagent.model.status import Status
from inferagent.model.unit import Part
from inferagent.runtime.act import Hands
from inferagent.runtime.board import Board
from inferagent.runtime.jobs import Jobs
from inferagent.runtime.loop import Loop
from inferagent.runtime.probes import Probe

if TYPE_CHECKING:
    from tests.fleet.host import Host


class Crash(BaseException):
    """The agent ends here, between two effects: nothing of it goes on."""


class WatchedLoop(Loop):
    """The real loop; each tick is shown to `ticked`, and a frozen agent does not tick."""

    ticked: Callable[[Tick], None]
    frozen: Callable[[], bool]
    over: Callable[[], bool]

    def tick(self) -> Decision:
        if self.over():
            raise Crash
        before, desired = self._saved, self.desired
        decision = super().tick()
        assert self._observed is not None
        self.ticked(Tick(self._observed.now, before, self._observed, desired, decision))
        return decision

    def _tick_or_log(self) -> float:
        return 1.0 if self.frozen() else super()._tick_or_log()


class Life:
    """`over` is set when it ends. Effects are counted in the host, which may plan a crash at one."""

    def __init__(self, host: "Host", desired: Desired, make: type[WatchedLoop] = WatchedLoop) -> None:
        self.host, self.alive = host, True
        self.over = asyncio.Event()
        self.documents: Status | None = None
        self.board = Board(lambda: self.loop.woken.set())
        self.jobs = Jobs(host.clock, lambda: self.loop.woken.set())
        self.membership = Membership(self)
        eyes, connector = EngineEyes(self), Connector(self)
        self.probes = self._probes(eyes, connector)
        units = {
            Part.ENGINE: Supervisor(self, host.engine, "engine"),
            Part.CONNECTOR: Supervisor(self, host.connector, "connector"),
        }
        self._units = units
        self.loop = make(
            host=host.name,
            clock=host.clock,
            board=self.board,
            hands=Hands(units, self.membership, self.jobs, self.probes["pool"].nudge),
            state=host.state_port(DiskState(host.disk, self.effect)),
            verdict=Verdict(self),
            desired=desired,
            pace=self._pace,
            publish=self._publish,
            rules=host.fleet.rules,
        )
        self.loop.ticked = host.ticked
        self.loop.frozen = lambda: host.frozen
        self.loop.over = lambda: not self.alive
        self._tasks: list[asyncio.Task[None]] = []

    def effect(self, what: str) -> None:
        """Raises Crash at the planned effect, and in a life that is over."""
        if not self.alive:
            raise Crash
        self.host.effects += 1
        if self.host.effects == self.host.crash_at:
            self.host.fleet.note(self.host, "crash", what)
            self.end()
            self.host.crashed()
            raise Crash

    def end(self) -> None:
        self.alive = False
        self.over.set()

    async def awake(self) -> None:
        """Where a frozen agent stands still; raises Crash where it has ended meanwhile."""
        await self.host.thawed.wait()
        if not self.alive:
            raise Crash

    def _probes(self, eyes: EngineEyes, connector: Connector) -> dict[str, Probe[Any]]:
        clock, put, terms = self.host.clock, self.board.put, self.host.terms
        made: dict[str, Probe[Any]] = {
            "engine": Probe("the engine", clock, eyes.look, put("engine"), 3.0, terms.pace_look),
            "connector": Probe(
                "the connector", clock, connector.look, put("connector"), 3.0, terms.pace_look
            ),
            "pool": Probe(
                "the pool", clock, self.membership.read, put("membership"), 10.0, terms.pace_membership
            ),
            "generation": Probe(
                "a generation", clock, eyes.generate, put("generation"), 3 * terms.generation_deadline + 5.0
            ),
            "host": Probe("the host", clock, lambda: host_look(self), put("host"), 5.0, 10.0),
            "gpus": Probe("the GPUs", clock, lambda: gpus(self), self._put_gpus, 2.0, 5.0),
        }
        for one in terms.checks:
            write = self.board.put_check(one.name, 2 * CHECK_EVERY + CHECK_DEADLINE)
            take = partial(check, self, one.name)
            made[one.code] = Probe(one.name, clock, take, write, 2 * CHECK_DEADLINE, CHECK_EVERY)
        return made

    def _put_gpus(self, reading: Reading[Reading[Any]]) -> None:
        self.board.put("gpus")(reading.value if isinstance(reading, Value) else reading)

    def _pace(self, decision: Decision) -> None:
        pace = decision.pace
        self.probes["engine"].set_pace(pace.look)
        self.probes["connector"].set_pace(pace.look)
        self.probes["pool"].set_pace(pace.membership)
        self.probes["generation"].set_pace(pace.generation)

    def _publish(self, document: Status) -> None:
        self.documents = document

    async def run(self) -> None:
        """Until it is ended, by plan or by hand."""
        self.loop.begin()
        runs: list[Coroutine[Any, Any, None]] = [
            self._units[Part.ENGINE].watch(self.board.put("engine_unit")),
            self._units[Part.CONNECTOR].watch(self.board.put("connector_unit")),
            *(probe.run() for probe in self.probes.values()),
            self.loop.run(),
        ]
        self._tasks = [asyncio.create_task(run) for run in runs]
        for task in self._tasks:
            task.add_done_callback(self._done)
        await self.over.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.jobs.cancel()

    def _done(self, task: "asyncio.Task[None]") -> None:
        """A part of the agent that ends by itself is a bug, unless it ended by the planned crash."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Crash):
            self.host.fleet.bug(self.host, error)
        if not task.cancelled():
            self.end()

    def resettle(self, **changes: object) -> None:
        self.loop.desired = replace(self.loop.desired, **changes)  # type: ignore[arg-type]
        self.loop.woken.set()
