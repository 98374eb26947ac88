"""The judge of the trace: every drain and touch must have a fault behind it, and every fault its drain."""

from dataclasses import dataclass, field

from tests.fleet.fleet import Fleet
from tests.fleet.host import Host
from tests.fleet.noise.faults import Fault
from tests.fleet.noise.schedule import HOUR
from tests.property.laws import Tick

from inferagent.model.phase import Phase
from inferagent.policy.narrate import root_cause

MOST = 12  # repairs of one part within an hour
GRACE = 15.0  # seconds after the end of a fault in which a rule may still fire on what it saw of it


@dataclass
class Case:
    """One fault of one host. Times on the fleet's clock; None = not yet."""

    fault: Fault
    host: str
    struck: float
    met: float | None = None  # since when it must be found within its bound
    over: float | None = None  # the host is really fine again
    left: float | None = None
    cured: bool = False
    allowed: float = 0.0
    code: str = ""
    root: str = ""
    roots: list[tuple[float, str]] = field(default_factory=list)
    back: float | None = None
    problems: list[str] = field(default_factory=list)

    def present(self, now: float) -> bool:
        return self.over is None or now <= self.over + GRACE

    def __str__(self) -> str:
        left = "never" if self.left is None else f"{self.left - (self.met or self.struck):.1f} s"
        back = "never" if self.back is None else f"{self.back - self.struck:.0f} s"
        said = f"{self.host} {self.fault.name} at {self.struck:.0f}: left after {left}"
        return f"{said} by {self.code}/{self.root}, back after {back} {' '.join(self.problems)}".rstrip()


@dataclass
class Judge:
    """A watcher. `false` lists what no fault explains."""

    cases: list[Case] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    ticks: dict[str, int] = field(default_factory=dict)
    drains: dict[str, int] = field(default_factory=dict)
    touches: dict[str, int] = field(default_factory=dict)
    open: dict[str, Case] = field(default_factory=dict)
    repairs: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def begin(self, fleet: Fleet) -> None:
        self.fleet = fleet
        for counts in (self.ticks, self.drains, self.touches):
            counts.update({host.name: 0 for host in fleet.hosts})

    def strike(self, fault: Fault, host: Host) -> Case:
        now = self.fleet.now
        case = Case(fault, host.name, now, met=None if fault.users else now)
        self.cases.append(case)
        self.open[host.name] = case
        return case

    def tick(self, host: Host, tick: Tick) -> None:
        self.ticks[host.name] += 1
        case = self.open.get(host.name)
        arrow = tick.before.phase is not tick.decision.phase
        if arrow and tick.decision.phase is Phase.DRAINING:
            self._drained(host, tick, case)
        if case is not None and case.left is not None and case.back is None:
            cause = root_cause(tick.decision)
            code = cause.code if cause else ""
            if code and (not case.roots or case.roots[-1][1] != code):
                case.roots.append((self.fleet.now, code))
        if arrow and tick.decision.phase is Phase.SERVING and case is not None and case.over is not None:
            case.back = case.back or self.fleet.now

    def _drained(self, host: Host, tick: Tick, case: Case | None) -> None:
        self.drains[host.name] += 1
        cause, root = tick.decision.saved.cause, root_cause(tick.decision)
        code = cause.code if cause else ""
        if case is None or not case.present(self.fleet.now):
            self.false.append(self._told(host, f"drained for {cause.text if cause else '?'} ({code})"))
        elif case.left is None:
            case.left, case.code, case.root = self.fleet.now, code, root.code if root else ""

    def event(self, host: Host, kind: str, detail: object) -> None:
        if kind != "touch":
            return
        self.touches[host.name] += 1
        self._count(host, str(getattr(detail, "part", "")))
        case = self.open.get(host.name)
        if case is None or not case.present(self.fleet.now):
            self.false.append(self._told(host, f"touched: {detail}"))
        elif not case.cured and str(getattr(detail, "part", "")) not in case.fault.parts:
            self.false.append(self._told(host, f"touched in vain ({case.fault.name}): {detail}"))
        elif case.fault.cure == "restart" and getattr(detail, "verb", "") == "restart":
            case.fault.heal(host)

    def _count(self, host: Host, part: str) -> None:
        """A part is repaired at a growing distance, whatever is the matter."""
        now, last = self.fleet.now, self.repairs.setdefault((host.name, part), [])
        last[:] = [at for at in last if at > now - HOUR] + [now]
        if len(last) == MOST + 1:
            self.false.append(self._told(host, f"touched: {part} for the {MOST + 1}th time within an hour"))

    def _told(self, host: Host, what: str) -> str:
        engine = host.engine
        on = {name: count for name, count in getattr(engine, "on", {}).items() if count}
        return f"{self.fleet.now:.1f} {host.name} {what}; noise {on}, {len(engine.running)} running"

    def step(self) -> None:
        """Nothing to see: all is told by ticks and events."""
