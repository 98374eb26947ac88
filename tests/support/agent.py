"""An agent in memory: the real loop, probes' slots filled by hand, fake ports, virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from tests.support.fakes import FakePool, FakeState, FakeUnit, FakeVerdict
from tests.support.virtual import VirtualClock

from inferagent.model.decision import Decision
from inferagent.model.desired import Desired, Terms
from inferagent.model.engine import EngineLook, Generation, Load, Outcome, Progress
from inferagent.model.gpu import Gpu, GpuProcess, GpuReport
from inferagent.model.reading import Failed, NotAvailable, Value
from inferagent.model.status import Status
from inferagent.model.tunnel import ConnectorLook, Traffic
from inferagent.model.unit import Part
from inferagent.runtime.act import Hands
from inferagent.runtime.board import Board
from inferagent.runtime.jobs import Jobs
from inferagent.runtime.loop import Loop
from inferagent.runtime.probes import Probe

TERMS = Terms(made_by_setup=True)
ENGINE_BYTES = 18_000_000_000


@dataclass
class Agent:
    """`well` False: the engine's generations go unanswered and its counters stand still.

    `others`: who else is on its GPU, None where nobody can tell; it is looked at where `gpu` says so.
    `counted` False: it hung while idle, so that only the connector counts who waits.
    """

    terms: Terms = TERMS
    pool: FakePool = field(default_factory=lambda: FakePool(enabled=False))
    state: FakeState = field(default_factory=FakeState)
    well: bool = True
    counted: bool = True
    connections: int = 4
    in_flight: int = 0
    gpu: bool = False
    others: tuple[GpuProcess, ...] | None = ()
    documents: list[Status] = field(default_factory=list)
    arrived: int = 0
    moved: int = 0

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.engine, self.connector = FakeUnit(self.clock), FakeUnit(self.clock)
        self.verdict = FakeVerdict(order=self.state.order)
        self.board = Board(lambda: self.loop.woken.set())
        self.jobs = Jobs(self.clock, lambda: self.loop.woken.set())
        put = self.board.put
        self.probes = {
            "engine": Probe("engine", self.clock, self.look, put("engine"), 3.0, 2.0),
            "connector": Probe("connector", self.clock, self.look_connector, put("connector"), 3.0, 2.0),
            "pool": Probe("pool", self.clock, self.pool.read, put("membership"), 10.0, 15.0),
            "gpus": Probe("gpus", self.clock, self.look_gpus, put("gpus"), 2.0, 5.0 if self.gpu else None),
            "generation": Probe("generation", self.clock, self.generate, put("generation"), 20.0),
        }
        self.loop = Loop(
            host="here",
            clock=self.clock,
            board=self.board,
            hands=Hands(
                {Part.ENGINE: self.engine, Part.CONNECTOR: self.connector},
                self.pool,
                self.jobs,
                self.probes["pool"].nudge,
            ),
            state=self.state,
            verdict=self.verdict,
            desired=Desired(terms=self.terms),
            pace=self.pace,
            publish=self.documents.append,
        )

    async def look(self) -> EngineLook:
        now, alive = self.clock.now(), self.engine.state.alive
        self.moved += self.well
        return EngineLook(
            accepts=Value(alive, now),
            models=Value(frozenset(self.terms.engine_names), now),
            progress=Value(Progress((("tokens", float(self.moved)),)), now),
            load=Value(Load(self.in_flight if self.counted else 0, 0), now),
            lan=NotAvailable(now),
            warmup=NotAvailable(now),
        )

    async def look_connector(self) -> ConnectorLook:
        now = self.clock.now()
        return ConnectorLook(
            ready=Value(self.connections if self.connector.state.alive else 0, now),
            traffic=Value(Traffic(self.arrived, self.in_flight), now),
        )

    async def look_gpus(self) -> GpuReport:
        now, unit = self.clock.now(), self.engine.state
        own = (GpuProcess(unit.main_pid, ENGINE_BYTES, name="vllm"),) if unit.alive else ()
        blind = Failed("cannot list the processes", now)
        processes = blind if self.others is None else Value((*own, *self.others), now)
        return GpuReport((Gpu(0, "GPU-0", "L4", processes=processes),))

    async def generate(self) -> Generation:
        begun, life = self.clock.now(), self.engine.state.incarnation
        await asyncio.sleep(0.1 if self.well else self.terms.generation_deadline)
        outcome = Outcome.OK if self.well else Outcome.UNANSWERED
        return Generation(outcome, begun, self.clock.now(), incarnation=life)

    def pace(self, decision: Decision) -> None:
        self.probes["engine"].set_pace(decision.pace.look)
        self.probes["connector"].set_pace(decision.pace.look)
        self.probes["pool"].set_pace(decision.pace.membership)
        self.probes["generation"].set_pace(decision.pace.generation)

    @property
    def status(self) -> Status:
        assert self.loop.document is not None
        return self.loop.document

    def resettle(self, **changes: object) -> None:
        """Change what is desired, as the composition root would."""
        self.loop.desired = replace(self.loop.desired, **changes)  # type: ignore[arg-type]
        self.loop.woken.set()

    @asynccontextmanager
    async def running(self, seconds: float = 30.0) -> AsyncIterator[None]:
        """The agent's tasks run inside; entered once it has run for so many seconds."""
        self.loop.begin()
        async with asyncio.TaskGroup() as group:
            runs = [
                self.engine.watch(self.board.put("engine_unit")),
                self.connector.watch(self.board.put("connector_unit")),
                *(probe.run() for probe in self.probes.values()),
                self.loop.run(),
            ]
            tasks = [group.create_task(run) for run in runs]
            await asyncio.sleep(seconds)
            yield
            for task in tasks:
                task.cancel()
            await self.jobs.cancel()
        assert self.loop.bugs == 0, "a tick failed by a bug: see the log"
