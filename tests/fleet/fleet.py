"""The simulated fleet: hosts with their real agents, the edge, the users, all in one virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Protocol

import structlog
from tests.fleet.api import Account
from tests.fleet.disk import DiskState
from tests.fleet.edge import Edge, Monitor, Pool
from tests.fleet.engine import Request
from tests.fleet.host import Host
from tests.fleet.life import Crash, WatchedLoop
from tests.property.laws import Tick
from tests.support.virtual import run as run_virtual

from inferagent.adapters.cloudflare.own_pool import OwnPool
from inferagent.model.desired import EngineKind, Mode, Terms
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.policy.rules import RULES, Rule

STEP = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What a story is played on. `engines`: one a host, in the order of the load balancer. `rate` in requests
    a second over the whole fleet, `work` in seconds an answer takes on average, `lags` one a location."""

    engines: tuple[EngineKind, ...] = (EngineKind.VLLM, EngineKind.VLLM)
    membership: MembershipKind = MembershipKind.OWN_POOL
    lags: tuple[float, ...] = (0.0, 4.0, 15.0)
    interval: float = 15.0
    consecutive: int = 1
    steering: str = "random"
    rate: float = 1.0
    work: float = 2.0
    serving: bool = True
    alone: bool = False
    panic: bool = False
    terms: Terms = field(default_factory=lambda: Terms(made_by_setup=True, monitor_bound=60.0))
    seed: int = 0


class Watcher(Protocol):
    """Sees everything that happens; each law of the fleet is one."""

    def begin(self, fleet: "Fleet") -> None: ...
    def tick(self, host: Host, tick: Tick) -> None: ...
    def event(self, host: Host, kind: str, detail: object) -> None: ...
    def step(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Note:
    at: float
    host: str
    kind: str
    detail: object = None

    def __str__(self) -> str:
        return f"{self.at:8.1f} {self.host:7} {self.kind} {self.detail if self.detail is not None else ''}"


class Fleet:
    """`rules` are given to every decision. What lives outside `decide` can be switched off by its part:
    `loop_class` (the waking, S10), `own_pool` (the write, S4), `state_port` (the hold's file, S13)."""

    loop_class: type[WatchedLoop] = WatchedLoop
    own_pool: type[OwnPool] = OwnPool

    def __init__(
        self,
        shape: Shape,
        watchers: Sequence[Watcher] = (),
        rules: Sequence[Rule] = RULES,
        mode: Mode = Mode.ACT,
    ) -> None:
        self.shape, self.rules, self.mode = shape, rules, mode
        self.random = Random(shape.seed)
        self.edge = Edge(Monitor(shape.interval, shape.consecutive), shape.lags, shape.steering, self.random)
        self.edge.panic = shape.panic
        self.account = Account(self.edge, lambda: self.now)
        self.notes: list[Note] = []
        self.bugs: list[str] = []
        self.rate, self.work, self.lan_rate = shape.rate, shape.work, 0.0
        self.sent = 0
        self._due = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self.hosts = [Host(self, f"gpu-{n}", self._terms(n), serving=shape.serving) for n in self._numbers()]
        self.watchers = list(watchers)
        for watcher in self.watchers:
            watcher.begin(self)

    def _numbers(self) -> Iterable[int]:
        return range(len(self.shape.engines))

    def _terms(self, number: int) -> Terms:
        shape = self.shape
        return replace(
            shape.terms,
            engine=shape.engines[number],
            membership=shape.membership,
            alone=shape.alone,
            machine=f"{number:016x}",
            tunnel_id=f"tunnel-{number}",
        )

    def state_port(self, state: DiskState) -> DiskState:
        return state

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    # time

    async def run(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, what: Callable[[], bool], within: float) -> float:
        """Seconds until it holds; AssertionError with the last notes when it does not within the bound."""
        began = self.now
        while not what():
            assert self.now - began < within, f"not within {within} s\n{self.told()}"
            await asyncio.sleep(0.5)
        return self.now - began

    def spawn(self, run: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(run)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """What the world itself runs into is nobody's health."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.bugs.append(f"world: {error!r}")

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, Crash):
            self.bugs.append(f"world: {error or context['message']!r}")

    def later(self, seconds: float, deed: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, deed)

    async def open(self) -> None:
        """Begin: processes as they have been, the agents started within a second of each other."""
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        for host in self.hosts:
            host.prepare()
        self.spawn(self._world())
        for host in self.hosts:
            await self.run(0.3)
            host.start_agent()

    async def close(self) -> None:
        for host in self.hosts:
            host.count_bugs()
            host.kill_agent()
        await self.run(0.01)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _world(self) -> None:
        while True:
            await asyncio.sleep(STEP)
            for host in self.hosts:
                host.step(STEP)
            self.edge.look(self.now)
            self._users()
            for watcher in self.watchers:
                watcher.step()

    # users

    def _users(self) -> None:
        self._due += self.rate * STEP
        while self._due >= 1.0:
            self._due -= 1.0
            self.send(Request(self.random.expovariate(1.0 / self.work) if self.work else 0.0))

    def send(self, request: Request, location: int | None = None) -> None:
        """One request of a user, from any location."""
        self.sent += 1
        where = self.random.randrange(len(self.edge.lags)) if location is None else location
        pool = self.route(where)
        if pool is None:
            self.lost(None, request, "no pool")
            return
        self.host(pool.name).take(request)

    def route(self, location: int) -> Pool | None:
        """Where a request goes; replicas of one tunnel have no pool: any that is connected gets it."""
        if self.shape.membership is not MembershipKind.REPLICA:
            return self.edge.route(location, self.now)
        connected = [host.pool for host in self.hosts if host.connector.ready]
        return self.random.choice(connected) if connected else None

    def host(self, name: str) -> Host:
        return next(host for host in self.hosts if host.name == name)

    # what happened

    def note(self, host: Host, kind: str, detail: object = None) -> None:
        self.notes.append(Note(self.now, host.name, kind, detail))
        for watcher in self.watchers:
            watcher.event(host, kind, detail)

    def ticked(self, host: Host, tick: Tick) -> None:
        if tick.arrow:
            start, end = tick.arrow
            self.note(host, "arrow", f"{start} → {end}: {tick.decision.sentence}")
        for watcher in self.watchers:
            watcher.tick(host, tick)

    def lost(self, host: Host | None, request: Request, why: str) -> None:
        self.notes.append(Note(self.now, host.name if host else "edge", "lost", why))
        for watcher in self.watchers:
            if host is not None:
                watcher.event(host, "lost", (request, why))

    def bug(self, host: Host, error: BaseException) -> None:
        self.bugs.append(f"{host.name}: {error!r}")

    def told(self, last: int = 60) -> str:
        """The end of the story, line by line."""
        return "\n".join([*map(str, self.notes[-last:]), *(host.told() for host in self.hosts)])

    def count(self, kind: str, host: Host | None = None, since: float = 0.0) -> int:
        return len(self.of(kind, host, since))

    def of(self, kind: str, host: Host | None = None, since: float = 0.0) -> list[Note]:
        return [
            n for n in self.notes if n.kind == kind and n.at >= since and (not host or n.host == host.name)
        ]

    def serving(self) -> list[Host]:
        return [host for host in self.hosts if host.phase is Phase.SERVING]


Story = Callable[[Fleet], Awaitable[None]]


def play(story: Story, fleet: Fleet) -> Fleet:
    """Tell the story on the fleet in virtual time; bugs of an agent are raised."""
    logs = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))

    async def whole() -> None:
        await fleet.open()
        try:
            await story(fleet)
        finally:
            await fleet.close()
        assert not fleet.bugs, fleet.bugs

    try:
        run_virtual(whole())
    finally:
        structlog.configure(**logs)
    return fleet
