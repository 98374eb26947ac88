"""One simulated host: processes, disk, clock, ready URL, and the agent that comes and goes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.fleet.api import Line
from tests.fleet.disk import Disk, DiskState
from tests.fleet.engine import FOR_EVER, Engine, Request
from tests.fleet.law import Truth
from tests.fleet.life import Crash, Life
from tests.fleet.process import Process
from tests.fleet.users import Users
from tests.property.laws import Tick
from tests.support.virtual import wall

from inferagent.model.desired import Desired, EngineKind, Terms
from inferagent.model.health import Cause
from inferagent.model.kernel import KernelFault
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.saved import Saved, Write
from inferagent.model.unit import Part
from inferagent.policy.until import PATIENCE
from inferagent.runtime.clearing import clear_fault
from inferagent.runtime.control import Answer, DrainRequest
from inferagent.runtime.desk import LendRequest
from inferagent.runtime.loop import Loop

if TYPE_CHECKING:
    from tests.fleet.fleet import Fleet

LOOKED = 1.0  # seconds that a request must have been there before a deed that rests on a look knows of it
READY_BOUND = 3.0  # seconds after which the ready program notices that the engine's port refuses
XIDS = {79: ("lost", "reboot"), 48: ("ecc", "reset")}
UP = 1000.0  # seconds that a host has been up when the story begins


class HostClock:
    """Boot-time clock on the fleet's time; `wall` may be wrong by any amount."""

    def __init__(self) -> None:
        self.booted, self.number, self.wall_error = -UP, 1, 0.0

    def now(self) -> float:
        return asyncio.get_running_loop().time() - self.booted

    def boot(self) -> str:
        return f"boot-{self.number}"

    def wall(self) -> str:
        return wall(asyncio.get_running_loop().time() + self.wall_error)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def reboot(self) -> None:
        self.booted, self.number = asyncio.get_running_loop().time() - 20.0, self.number + 1


class Tunnel(Process):
    """The connector: connects 2 s after its start, while the line to the edge holds."""

    def __init__(self, terms: Terms, now: Callable[[], float]) -> None:
        super().__init__("c", now)
        self.edge, self.metrics_fail, self.leaving = True, False, False
        self.closed: Callable[[], None] = lambda: None
        self.total = self.failed = 0
        self.ingress, self.tunnel_id = terms.ingress, terms.tunnel_id

    @property
    def ready(self) -> int:
        return 4 if self.alive and self.edge and self.age >= 2.0 and not self.leaving else 0

    def renewed(self) -> None:
        self.total, self.failed, self.leaving = 0, 0, False

    def ended(self) -> None:
        self.closed()


@dataclass(frozen=True, slots=True)
class Touch:
    """The agent did something to a unit; what was true of the engine then. `in_flight` leaves out
    what has only just come, since no look could have shown it."""

    verb: str
    part: Part
    phase: Phase
    fine_for: float
    in_flight: int
    alive: bool


class Host:
    def __init__(self, fleet: "Fleet", name: str, terms: Terms, *, serving: bool) -> None:
        self.fleet, self.name, self.terms = fleet, name, terms
        self.clock = HostClock()
        self.engine = Engine(terms.engine, self.clock.now, 4 if terms.engine is EngineKind.VLLM else 1)
        self.engine.lost = self._lost
        self.connector = Tunnel(terms, self.clock.now)
        self.connector.closed = lambda: self.engine.cut("the connector ended")
        self.disk, self.line = Disk(), Line()
        own_pool = terms.membership is MembershipKind.OWN_POOL
        self.pool = fleet.edge.add(name, self._asked_for, terms.machine, member=serving or not own_pool)
        self.verdict = False
        self.thawed = asyncio.Event()
        self.thawed.set()
        self.units_unknown = self.gpu_blind = self.no_gpu = False
        self.gpu_fault = ""
        self.kernel: tuple[KernelFault, ...] = ()  # what its log says of the GPU in this boot
        self.kernel_ill = False  # it has said so since the operator's last word
        self.slept_at: float | None = None
        self.checks: dict[str, str] = {}  # what each of the user's checks says; none: healthy
        self.effects, self.crash_at = 0, 0
        self.life: Life | None = None
        self.desired = Desired(terms=terms, mode=fleet.mode)
        self._refused: float | None = None
        self.truth = Truth()
        self.last: Tick | None = None
        self.held, self.held_at, self.hold_deadline = False, 0.0, 900.0
        self.hold_due: float | None = None  # fleet time at which the hold ends by itself
        self.hold_lasts = 0.0
        self.lending = self.jumped = self.shaken = False
        self.users = Users()
        self.handled = self.foreign = self.forgot = False
        self._up_at = 0.0
        self._serving = serving

    # beginning

    def prepare(self) -> None:
        """As it has been for a long time: serving, or just installed and out."""
        self.connector.spawn()
        self.connector.born -= UP / 2
        if not self._serving:
            return
        self.engine.spawn()
        self.engine.born -= UP / 2
        before = self.clock.now() - UP / 2
        self.engine.fine_since = before
        self.verdict = True
        saved = Saved(
            boot=self.clock.boot(),
            adopted=True,
            phase=Phase.SERVING,
            since=before,
            incarnation=self.engine.incarnation,
            joins=(before,),
            serving_since=before,
            gpu_count=1,
            baseline=True,
            last_write=Write(True, before, answered=True, confirmed=True),
        )
        DiskState(self.disk, lambda what: None).save(saved)

    # the agent

    @property
    def agent(self) -> bool:
        return self.life is not None and self.life.alive

    def start_agent(self) -> None:
        if self.agent:
            return
        self.count_bugs()
        self.desired = replace(self.desired, hold=None, resumed_at=None)
        self.life = Life(self, self.desired, self.fleet.loop_class)
        self.fleet.spawn(self.life.run())
        self._up_at = self.fleet.now
        self.fleet.note(self, "agent up")

    def count_bugs(self) -> None:
        """Ticks of the life that ends here which failed by a bug."""
        if self.life is not None and self.life.loop.bugs:
            self.fleet.bugs.append(f"{self.name}: {self.life.loop.bugs} ticks failed")

    def kill_agent(self) -> None:
        if self.life is not None and self.life.alive:
            self.life.end()
            self.fleet.note(self, "agent down")

    def state_port(self, state: DiskState) -> DiskState:
        return self.fleet.state_port(state)

    def resettle(self, **changes: object) -> None:
        """Change what is desired, for this life of the agent and the next."""
        self.desired = replace(self.desired, **changes)  # type: ignore[arg-type]
        if self.life is not None and self.life.alive:
            self.life.resettle(**changes)

    def drain(self, **fields: object) -> Answer:
        """What `inferagent drain` would come to."""
        if not self.agent or self.frozen or self.life is None:
            return Answer(False, "the agent does not answer", "")
        request = DrainRequest(**fields)  # type: ignore[arg-type]
        answer = self._asked(lambda loop: loop.drain(request), request.lasts)
        if answer.ok:
            self._hold(request)
            self.fleet.note(self, "hold", answer)
        return answer

    def lend(self, lasts: float, **fields: object) -> Answer:
        """What `inferagent lend` would come to."""
        if not self.agent or self.frozen or self.life is None:
            return Answer(False, "the agent does not answer", "")
        request = LendRequest(lasts, **fields)  # type: ignore[arg-type]
        answer = self._asked(lambda loop: loop.lend(request), lasts)
        if answer.ok:
            self._hold(request)
            self.lending = True
            self.fleet.note(self, "lend", answer)
        return answer

    def _hold(self, request: DrainRequest | LendRequest) -> None:
        self.held, self.held_at, self.lending = True, self.fleet.now, False
        self._ends(request.lasts)
        deadline = request.deadline
        self.hold_deadline = self.terms.deadline_operator if deadline is None else deadline

    def _ends(self, lasts: float | None) -> None:
        self.hold_due, self.shaken = (None if lasts is None else self.fleet.now + lasts), False
        self.hold_lasts = lasts or 0.0

    @property
    def must_hold(self) -> bool:
        """Held, and the hold's own end has not come; a wall clock tells no more than seconds."""
        return self.held and (self.hold_due is None or self.fleet.now < self.hold_due - 2.0)

    def overdue(self, now: float) -> bool:
        """A hold with an end that should be over by now; a young boot may still doubt its clock."""
        if self.hold_due is None or self.clock.now() < PATIENCE + 10.0:
            return False
        return now > self.hold_due + 10.0 + (self.hold_lasts + PATIENCE if self.shaken else 0.0)

    def jump(self, error: float) -> None:
        """The wall clock is set wrong by so much."""
        self.clock.wall_error, self.jumped = error, True
        if self.hold_due is not None and self.clock.now() < PATIENCE + 10.0:
            self.shaken = True  # a young boot that goes by its wall clock

    def _asked(self, ask: Callable[[Loop], Answer], lasts: float | None = None) -> Answer:
        """An agent that dies while it is asked leaves whatever is on its disk by then."""
        assert self.life is not None
        before = self.disk.hold
        try:
            return ask(self.life.loop)
        except Crash:
            self.held = self.disk.hold is not None
            if self.disk.hold is not before:  # else the earlier word stands
                self.held_at = self.fleet.now
                self._ends(lasts)
            self.lending = self.disk.hold is not None and self.disk.hold.lend
            return Answer(False, "the agent died", "")

    def resume(self) -> Answer:
        if not self.agent or self.frozen or self.life is None:
            return Answer(False, "the agent does not answer", "")
        again = self.life.loop.desired.hold is None
        answer = self._asked(lambda loop: loop.resume())
        if answer.ok:
            self.held = self.handled = self.lending = False
            self.fleet.note(self, "resume", answer)
            if again:
                self.fleet.note(self, "insisted")
        return answer

    def clear_faults(self) -> Answer:
        """What `inferagent fault clear --all` would come to."""
        if not self.agent or self.frozen or self.life is None:
            return Answer(False, "the agent does not answer", "")
        faulty = bool(self.saved.faults)
        answer = self._asked(lambda loop: clear_fault(loop, ""))
        if faulty and not self.saved.faults:  # or its agent died with the word on disk
            self.kernel_ill = False
            self.fleet.note(self, "cleared", answer)
        return answer

    def kernel_says(self, number: int) -> None:
        """A line of its log on its only GPU: XID `number`."""
        now, code, cure = self.clock.now(), *XIDS[number]
        name = f"XID {number}"
        line = KernelFault("0000:01:00", code, f"has {name}", cure, name, now, "", now, "", 1)
        before = next((one for one in self.kernel if one.code == code), line)
        others = tuple(one for one in self.kernel if one.code != code)
        self.kernel_ill = True
        count = max((one.sequence for one in self.kernel), default=0) + 1
        self.kernel = (*others, replace(before, last_at=now, sequence=count, index=0, uuid="GPU-0"))

    def ticked(self, tick: Tick) -> None:
        self.last = tick
        self.jumped = self.jumped and self.disk.full  # what it has seen of the clock it has written down
        if self.held and not self.must_hold and self.life is not None and self.life.loop.desired.hold is None:
            self.held = self.lending = False
        self.fleet.ticked(self, tick)

    def crashed(self) -> None:
        """Its supervisor starts the agent again."""
        asyncio.get_running_loop().call_later(2.0, self.start_agent)

    def awake_for(self) -> float:
        return self.fleet.now - self._up_at

    def causes(self) -> tuple[Cause, ...]:
        """What the agent's last tick named."""
        return self.last.decision.causes if self.last else ()

    def desired_stop(self) -> bool:
        hold = self.life.loop.desired.hold if self.life else None
        return hold is not None and hold.stop_engine

    @property
    def replica(self) -> bool:
        return self.terms.membership is MembershipKind.REPLICA

    def hand(self, enabled: bool) -> None:
        """Somebody in the dashboard."""
        self.handled = not enabled
        self.fleet.edge.set_enabled(self.pool, enabled, self.fleet.now)
        self.fleet.note(self, "hand", enabled)

    @property
    def saved(self) -> Saved:
        """The state that the agent works with; of a dead one, what is on disk."""
        if self.life is not None and self.life.alive:
            return self.life.loop._saved
        return self.disk.saved() or Saved()

    @property
    def phase(self) -> Phase:
        return self.saved.phase

    def told(self) -> str:
        document = self.life.documents if self.life else None
        return f"{self.name}: {document.sentence if document else 'no agent yet'}"

    # the machine

    def power_off(self) -> None:
        self.kill_agent()
        self.engine.power_off()
        self.connector.power_off()
        if self.jumped and self.hold_due is not None:  # nobody knows any more when it is to end
            self.hold_due, self.shaken = self.fleet.now, True
        if self.disk.makeshift is not None:  # a hold that was not durable ends with the boot
            self.held = self.disk.hold is not None
        self.verdict, self.disk.makeshift, self.disk.faults, self.disk.cleared = False, None, (), ()
        self.fleet.note(self, "power off")

    def power_on(self) -> None:
        self.clock.reboot()
        self.gpu_fault, self.kernel, self.kernel_ill = "", (), False
        self.slept_at, self._refused = None, None
        if self.terms.membership is not MembershipKind.REPLICA:
            self.connector.spawn()
        self.fleet.note(self, "boot")
        self.start_agent()

    async def reboot(self, down: float = 60.0) -> None:
        self.power_off()
        await self.fleet.run(down)
        self.power_on()

    async def suspend(self, seconds: float) -> None:
        """Nothing of the host moves; the boot clock goes on."""
        edge, self.connector.edge = self.connector.edge, False
        self.freeze()
        self.engine.ills.hung_until = max(self.engine.ills.hung_until, self.clock.now() + seconds)
        await self.fleet.run(seconds)
        self.connector.edge = edge
        self.connector.born = self.clock.now()
        self.slept_at = self.clock.now()
        self.thaw()

    @property
    def frozen(self) -> bool:
        return not self.thawed.is_set()

    def freeze(self) -> None:
        """Stop the agent where it stands (SIGSTOP): nothing of it moves until `thaw`."""
        self.thawed.clear()

    def thaw(self) -> None:
        self.thawed.set()
        if self.life is not None and self.life.alive:
            self.life.loop.woken.set()

    # the way in

    def ready_answer(self) -> bool:
        """What the ready URL says from outside, agent or no agent."""
        refused = self._refused is not None and self.clock.now() - self._refused >= READY_BOUND
        return self.connector.ready > 0 and self.verdict and not refused

    def _asked_for(self) -> bool:
        """A probe of the monitor; it goes through the tunnel and is counted there."""
        if self.connector.ready:
            self.connector.total += 1
            self.pool.probes += 1
        return self.ready_answer()

    def asked(self) -> int:
        return self.pool.probes

    def set_verdict(self, ready: bool) -> None:
        self.verdict = ready
        self.fleet.note(self, "verdict", ready)

    def take(self, request: Request) -> None:
        """A user's request that the edge, or the LAN, sends here."""
        if not request.lan:
            if not self.connector.ready:
                return self._lost(request, "no tunnel")
            self.connector.total += 1
        if self.engine.ills.poisoned and self.engine.accepts():
            self.engine.kill("killed by signal 6")
        why = self.engine.take(request)
        self.connector.failed += bool(why) and not request.lan
        return self._lost(request, why) if why else None

    def _lost(self, request: Request, why: str) -> None:
        self.fleet.lost(self, request, why)

    def step(self, seconds: float) -> None:
        now = self.clock.now()
        if not self.frozen or self.engine.ills.hung_until != FOR_EVER:
            self.engine.step(seconds)
        if self.engine.accepts():
            self._refused = None
        elif self._refused is None:
            self._refused = now

    # what the agent does

    def touched(self, verb: str, part: Part) -> None:
        engine = self.engine
        now = self.clock.now()
        unseen = (
            engine.kind is EngineKind.VLLM and engine.sight.metrics == "na"
        )  # nobody counts its LAN users
        flying = sum(
            now - request.born > LOOKED and not (request.lan and unseen)
            for request in (*engine.running, *engine.waiting)
        )
        touch = Touch(verb, part, self.phase, engine.fine_for(), flying, engine.alive)
        self.fleet.note(self, "touch", touch)

    def pushed(self, member: bool) -> None:
        self.fleet.note(self, "push", member)
