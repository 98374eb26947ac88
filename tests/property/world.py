"""One host under the real `decide()`, with virtual time: fake engine, connector, pool, monitor and disk.

Deterministic. Every tick is held against the rules that must hold in every story (`laws.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tests.property.edge import Connector, Pool
from tests.property.history import History
from tests.property.laws import Tick, check
from tests.property.parts import Engine

from inferagent.adapters.fault_file import with_faults
from inferagent.adapters.saved_state import decode, encode
from inferagent.model.action import Action, Push, Restart, Start, Stop, slot
from inferagent.model.decision import Decision, Pace
from inferagent.model.desired import Desired, Hold, Mode, Terms
from inferagent.model.engine import EngineLook, Generation, Outcome
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.host import HostLook
from inferagent.model.membership import MembershipKind, MembershipView
from inferagent.model.observed import Job, Observed
from inferagent.model.reading import NEVER, Failed, Reading, Value
from inferagent.model.saved import Fault, Memory, Saved
from inferagent.model.tunnel import ConnectorLook
from inferagent.model.unit import Part
from inferagent.policy.decide import decide
from inferagent.policy.rules import RULES, Rule
from inferagent.policy.wake import wake

GENERATION_DEADLINE = 6.0


@dataclass
class Running:
    """A job: what it does when it ends, and when that is."""

    ends: float
    finish: Callable[[], str]  # the error, "" for success


@dataclass
class World(History):
    terms: Terms = field(default_factory=Terms)
    rules: Sequence[Rule] = RULES
    mode: Mode = Mode.ACT
    laws: bool = True
    now: float = 1000.0
    boot: str = "boot-1"

    def __post_init__(self) -> None:
        self.engine = Engine(self.terms.engine)
        self.connector = Connector(self.terms, self.engine)
        self.pool = Pool(alone=self.terms.alone)
        self.desired = Desired(terms=self.terms, mode=self.mode)
        self.disk_full = False
        self.units_unknown = False
        self.disk: bytes | None = None
        self.runtime: tuple[Fault, ...] = ()
        self.hold_file: Hold | None = None
        self.gpu_fault = ""
        self.slept_at: float | None = None
        self.ticks: list[Tick] = []
        self.lost: list[str] = []  # requests that an action of ours cut
        self.unjust: list[str] = []  # engines touched that could still answer, and nobody asked for it
        self.agent = True
        self._life = 1
        self._start_agent()

    # the agent's life

    def _start_agent(self) -> None:
        saved = with_faults(decode(self.disk) if self.disk else None, self.runtime)
        self.saved: Saved = wake(saved, self.now, self.boot)
        self.desired = replace(self.desired, hold=self.hold_file, resumed_at=None)
        self.slots: dict[str, Reading[object]] = {}
        self.looks: dict[str, float] = {}
        self.jobs: dict[str, Job] = {}
        self.running: dict[str, Running] = {}
        self.asking: tuple[float, Generation] | None = None
        self.save: Reading[bool] = NEVER
        self._on_disk: Saved | None = None
        self.pace = Pace(generation=None)
        self.decision: Decision | None = None

    def kill_agent(self, down: float = 1.0) -> None:
        """Kill the agent, let the world go on without it, start it again."""
        self.agent = False
        self.run(down)
        self.agent = True
        self._start_agent()

    def reboot(self, down: float = 60.0) -> None:
        """Power off and on: a new boot id, a boot clock near zero, no process of the old boot."""
        self.agent = False
        self.engine.power_off()
        self.connector.power_off()
        self.pool.verdict = False
        self.run(down)
        self._life += 1
        shift = self.now - 20.0
        self.boot, self.now = f"boot-{self._life}", 20.0
        for part in (self.pool, self.engine, self.connector):
            part.shift(shift)
        self.connector.start(self.now)
        self.gpu_fault, self.slept_at, self.runtime = "", None, ()
        self.agent = True
        self._start_agent()

    def suspend(self, seconds: float) -> None:
        """Sleep: the boot clock goes on, nothing else does."""
        self.now += seconds
        self.slept_at = self.now

    # people

    def drain(self, **fields: object) -> None:
        self.hold_file = Hold(wall="2026-11-22T12:00:00+00:00", **fields)  # type: ignore[arg-type]
        self.desired = replace(self.desired, hold=self.hold_file)

    def resume(self) -> None:
        self.hold_file = None
        self.desired = replace(self.desired, hold=None, resumed_at=self.now)

    # time

    def run(self, seconds: float, step: float = 0.5) -> "World":
        end = self.now + seconds
        while self.now < end - 1e-9:
            self._advance(min(step, end - self.now))
        return self

    def until(self, what: Callable[["World"], bool], within: float, step: float = 0.5) -> float:
        """Seconds until it holds; AssertionError when it does not within the bound."""
        began = self.now
        while not what(self):
            assert self.now - began < within, f"not within {within} s; {self.told()}"
            self._advance(step)
        return self.now - began

    def _advance(self, seconds: float) -> None:
        self.now += seconds
        now = self.now
        self.connector.step(now)
        receiving = self.pool.receives(self.connector.ready)
        self.engine.step(now, seconds, receiving)
        self.connector.traffic(seconds, receiving)
        self.pool.step(now, self.connector.ready)
        if not self.agent:
            return
        for name, job in list(self.running.items()):
            if now >= job.ends:
                self._end(name, job.finish())
        self._look()
        self.tick()

    def told(self) -> str:
        found = self.decision
        return f"t={self.now:.0f} {found.sentence if found else 'no decision'}; {self.pool.said()}"

    # looking

    def _due(self, name: str, pace: float) -> bool:
        if self.now - self.looks.get(name, float("-inf")) < pace:
            return False
        self.looks[name] = self.now
        return True

    def _look(self) -> None:
        now = self.now
        ill = Failed("cannot read the unit", now)
        self.slots["engine_unit"] = ill if self.units_unknown else Value(self.engine.unit(), now)
        self.slots["connector_unit"] = ill if self.units_unknown else Value(self.connector.unit(), now)
        if self._due("look", self.pace.look):
            self.slots["engine"] = Value(self.engine.look(now), now)
            self.slots["connector"] = Value(self.connector.look(now), now)
        if self._due("membership", self.pace.membership):
            self.slots["membership"] = self._membership()
        if self._due("host", 10.0):
            self.slots["host"] = Value(HostLook(1, 1, 1, 0.0, self.slept_at), now)
        if self._due("gpus", 5.0):
            gpu = Gpu(0, "GPU-0", "L4", fault=self.gpu_fault)
            self.slots["gpus"] = Value(GpuReport((gpu,), Value(1, now)), now)
        self._generation()

    def _membership(self) -> Reading[MembershipView]:
        kind = self.terms.membership
        if kind is MembershipKind.OWN_POOL and not self.pool.readable:
            return Failed("cannot read the pools: the API does not answer", self.now)
        return Value(self.pool.view(kind, self.connector.ready > 0), self.now)

    def _generation(self) -> None:
        if self.asking is not None and self.now >= self.asking[0]:
            self.slots["generation"] = Value(self.asking[1], self.asking[1].begun)
            self.asking = None
        pace = self.pace.generation
        if pace is None or self.asking is not None or not self._due("generation", pace):
            return
        outcome, seconds = self.engine.answer(self.now)
        if outcome is Outcome.UNANSWERED:
            seconds = GENERATION_DEADLINE
        end = self.now + seconds
        life = self.engine.unit().incarnation
        self.asking = (end, Generation(outcome, self.now, end, "", life))

    def observed(self) -> Observed:
        read = self.slots.get
        engine, connector = read("engine", NEVER), read("connector", NEVER)
        return Observed(
            now=self.now,
            boot=self.boot,
            engine_unit=read("engine_unit", NEVER),  # type: ignore[arg-type]
            connector_unit=read("connector_unit", NEVER),  # type: ignore[arg-type]
            engine=engine.value if isinstance(engine, Value) else EngineLook(),  # type: ignore[arg-type]
            connector=connector.value if isinstance(connector, Value) else ConnectorLook(),  # type: ignore[arg-type]
            generation=read("generation", NEVER),  # type: ignore[arg-type]
            membership=read("membership", NEVER),  # type: ignore[arg-type]
            gpus=read("gpus", NEVER),  # type: ignore[arg-type]
            host=read("host", NEVER),  # type: ignore[arg-type]
            save=self.save,
            jobs=tuple(self.jobs.items()),
        )

    # deciding and doing

    def tick(self) -> Decision:
        """One tick as the loop makes it: leaving waits for no disk, all else for the save."""
        before, observed = self.saved, self.observed()
        decision = decide(observed, self.desired, before, self.rules)
        gone = [action for action in decision.actions if isinstance(action, Push) and not action.member]
        if not self._save(decision.saved):
            observed = replace(observed, save=self.save)
            decision = decide(observed, self.desired, before, self.rules)
        self.saved, self.decision, self.pace = decision.saved, decision, decision.pace
        self.pool.verdict = decision.verdict
        tick = Tick(self.now, before, observed, self.desired, decision)
        self.ticks.append(tick)
        if self.laws:
            check(tick)
        for action in (*gone, *(action for action in decision.actions if action not in gone)):
            self._act(action)
        return decision

    def _save(self, saved: Saved) -> bool:
        saved = replace(saved, memory=Memory())
        if saved == self._on_disk and isinstance(self.save, Value):
            return True
        self.runtime = saved.faults
        if self.disk_full:
            self.save = Failed("cannot save the state: no space left on device", self.now)
            return False
        self.disk, self.save, self._on_disk = encode(saved), Value(True, self.now), saved
        return True

    def _act(self, action: Action) -> None:
        name = slot(action)
        old = self.jobs.get(name, Job())
        self.jobs[name] = replace(old, running=True, begun=self.now, ended=None, error="")
        match action:
            case Push(member=member):
                ends, finish = self.pool.push(member, self.now)
            case Start(part=part):
                ends, finish = self._part(part).start(self.now)
            case Stop(part=part):
                self._cut(part)
                ends, finish = self._part(part).stop(self.now)
            case Restart(part=part):
                self._cut(part)
                ends, finish = self._part(part).restart(self.now)
        self.running[name] = Running(ends, finish)

    def _part(self, part: Part) -> Engine | Connector:
        return self.engine if part is Part.ENGINE else self.connector

    def _cut(self, part: Part) -> None:
        fine = part is Part.ENGINE and self.now - self.engine.fine_since > 40.0
        if fine and self.desired.hold is None and not self.desired.parked:
            self.unjust.append(f"t={self.now:.0f}: {self.told()}")
        if self.engine.would_answer(self.now) and (part is Part.ENGINE or self.connector.ready):
            lan = self.engine.lan if part is Part.ENGINE else 0
            flying = self.engine.tunnel_flying + lan
            if flying:
                self.lost.append(f"t={self.now:.0f}: {flying} requests cut by the {part}")

    def _end(self, name: str, error: str) -> None:
        del self.running[name]
        before = self.jobs[name]
        failures = before.failures + 1 if error else 0
        self.jobs[name] = replace(before, running=False, ended=self.now, error=error, failures=failures)
        if name == "push":
            self.looks.pop("membership", None)
