"""The ports of one life of an agent, on the things of its host: whatever a dead life asks for is not done."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fleet.api import HANGS, Token
from tests.fleet.process import Process

from inferagent.adapters.cloudflare.budget import Budget, share_for
from inferagent.adapters.cloudflare.own_pool import Place
from inferagent.model.check import CheckResult
from inferagent.model.engine import EngineLook, Generation, Outcome
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.health import Health
from inferagent.model.host import HostLook
from inferagent.model.kernel import KernelLook
from inferagent.model.membership import Endpoint, MembershipKind, MembershipView
from inferagent.model.reading import Failed, NotAvailable, Reading, Value
from inferagent.model.tunnel import ConnectorLook, Ingress, Traffic
from inferagent.model.unit import Part, Unit
from inferagent.ports import PortError

if TYPE_CHECKING:
    from tests.fleet.life import Life

START, STOP = 0.2, 0.5
GRACE = 30  # seconds
CHECK_EVERY, CHECK_DEADLINE = 60.0, 10.0


class Supervisor:
    """The UnitPort of a process of the host."""

    def __init__(self, life: "Life", process: Process, name: str) -> None:
        self._life, self._process, self._name = life, process, name

    async def watch(self, write: Callable[[Reading[Unit]], None]) -> None:
        def tell(unit: Unit) -> None:
            if not self._life.alive:
                return
            now = self._life.host.clock.now()
            unknown = self._life.host.units_unknown
            write(Failed("cannot read the unit", now) if unknown else Value(unit, now))

        self._process.listeners = [tell]
        tell(self._process.unit())
        await asyncio.Event().wait()

    async def start(self) -> None:
        await self._life.awake()
        self._life.effect(f"before start {self._name}")
        if not self._process.alive:
            self._told("start")
            self._process.spawn()
        await asyncio.sleep(START)
        self._life.effect(f"after start {self._name}")

    async def stop(self) -> None:
        await self._life.awake()
        self._life.effect(f"before stop {self._name}")
        self._told("stop")
        await self._grace()
        self._process.stop()
        await asyncio.sleep(STOP)
        self._life.effect(f"after stop {self._name}")

    async def restart(self) -> None:
        await self._life.awake()
        self._life.effect(f"before restart {self._name}")
        self._told("restart")
        await self._grace()
        self._process.stop()
        await asyncio.sleep(STOP)
        self._life.effect(f"between stop and start {self._name}")
        self._process.spawn()

    async def _grace(self) -> None:
        """A connector that is told to end leaves the edge at once, and gives what is in flight its time."""
        host = self._life.host
        if self._process is not host.connector:
            return
        host.connector.leaving = True
        for _ in range(GRACE):
            if not host.engine.in_flight(lan=False):
                return
            await asyncio.sleep(1.0)

    def _told(self, verb: str) -> None:
        part = Part.ENGINE if self._name == "engine" else Part.CONNECTOR
        self._life.host.touched(verb, part)


class EngineEyes:
    """The EnginePort."""

    def __init__(self, life: "Life") -> None:
        self._life = life

    async def look(self) -> EngineLook:
        host = self._life.host
        await self._life.awake()
        if host.engine.sight.slow:
            await asyncio.sleep(HANGS)
        return host.engine.look()

    async def generate(self) -> Generation:
        life, host = self._life, self._life.host
        await life.awake()
        engine, begun, incarnation = host.engine, host.clock.now(), host.engine.incarnation
        outcome, seconds = engine.answer()
        deadline = host.terms.generation_deadline
        if seconds > deadline:
            outcome, seconds = Outcome.UNANSWERED, deadline
        await asyncio.sleep(seconds)
        await life.awake()
        if engine.incarnation != incarnation:
            outcome = Outcome.WRONG
        elif outcome is Outcome.OK and engine.hung():
            outcome = Outcome.UNANSWERED
        return engine.generation(begun, incarnation, outcome)


class Connector:
    def __init__(self, life: "Life") -> None:
        self._life = life

    async def look(self) -> ConnectorLook:
        host = self._life.host
        await self._life.awake()
        now, connector = host.clock.now(), host.connector
        self._life.board.asked = host.asked()
        if not connector.alive:
            ill = Failed("refused", now)
            return ConnectorLook(Value(0, now), ill, ill, ill)
        if connector.metrics_fail:
            raise PortError("cannot read the connector's metrics")
        return ConnectorLook(
            Value(connector.ready, now),
            Value(Traffic(connector.total, host.engine.in_flight(lan=False), connector.failed), now),
            Value(Ingress(1, connector.ingress), now),
            Value(connector.tunnel_id, now),
        )


class Membership:
    """The MembershipPort of the host's kind; that of an own pool is the real adapter."""

    def __init__(self, life: "Life") -> None:
        self._life = life
        host = life.host
        budget = Budget(share_for(host.terms.pace_membership))
        token = Token(host.fleet.account, host.line, host.name, host.clock, budget)
        self._own = host.fleet.own_pool(token, Place("a", "z", host.pool.entry["id"], "l"), host.clock)

    async def read(self) -> MembershipView:
        life, host = self._life, self._life.host
        await life.awake()
        if host.terms.membership is MembershipKind.OWN_POOL:
            view = await self._own.read()
            await life.awake()
            return view
        if host.terms.membership is MembershipKind.PULL:
            seen = host.verdict and host.pool.healthy is True
            return MembershipView(Endpoint(host.name, host.verdict, seen), None)
        connected = host.connector.ready > 0
        return MembershipView(Endpoint(host.name, connected, connected), None)

    async def push(self, member: bool) -> None:
        life = self._life
        await life.awake()
        life.effect(f"before push {member}")
        life.host.pushed(member)
        await self._own.push(member)
        await life.awake()
        life.effect(f"after push {member}")


class Verdict:
    """The VerdictPort: the file of this boot, which the ready program answers from."""

    def __init__(self, life: "Life") -> None:
        self._life = life

    def write(self, ready: bool, phase: str) -> None:
        host = self._life.host
        if host.verdict is ready:
            return
        self._life.effect(f"before verdict {ready}")
        host.set_verdict(ready)
        self._life.effect(f"after verdict {ready}")

    def read(self) -> bool | None:
        return self._life.host.verdict


async def gpus(life: "Life") -> Reading[GpuReport]:
    """And beside it what the kernel says, as the daemon takes both from one file."""
    await life.awake()
    host = life.host
    last = max((fault.sequence for fault in host.kernel), default=0)
    life.board.kernel = Value(KernelLook(host.kernel, sequence=last), host.clock.now())
    now = host.clock.now()
    if host.gpu_blind:
        return Failed("cannot read the GPUs", now)
    if host.no_gpu:
        return NotAvailable(now)
    processes = host.users.processes(host.engine, now)
    gpu = Gpu(0, "GPU-0", "L4", processes=processes, fault=host.gpu_fault)
    return Value(GpuReport((gpu,), Value(1, now)), now)


async def check(life: "Life", name: str) -> CheckResult:
    """One of the user's checks: what its host has it say, silence until it is killed, or unknown."""
    await life.awake()
    says = life.host.checks.get(name, "healthy")
    if says == "hangs":
        await asyncio.sleep(CHECK_DEADLINE)
        raise PortError(f"cannot read the check {name}: cannot finish within {CHECK_DEADLINE:.0f} s")
    if says == "unknown":
        raise PortError(f"cannot read the check {name}: it says unknown")
    return CheckResult(Health(says), f"it says {says}")


async def host_look(life: "Life") -> HostLook:
    await life.awake()
    return HostLook(1, 1, 1, 0.0, life.host.slept_at)
