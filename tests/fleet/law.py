"""What a law of the fleet is, and the truth about each host that the laws are held against."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.property.laws import Tick

from inferagent.model.decision import Decision
from inferagent.model.health import Cause, CauseKind
from inferagent.model.membership import Endpoint, MembershipKind, MembershipView
from inferagent.model.phase import Phase
from inferagent.model.reading import Value

if TYPE_CHECKING:
    from tests.fleet.fleet import Fleet
    from tests.fleet.host import Host

INSIDE = (Phase.JOINING, Phase.SERVING)
ILL = (CauseKind.INFERRED, CauseKind.CERTAIN)


class Law:
    """`met`: the story gave this law something to forbid. `broken`: how it was broken, "" never."""

    name = ""
    rare = False  # met by few stories only, because it takes long

    def __init__(self) -> None:
        self.met = False
        self.broken: list[str] = []

    def begin(self, fleet: "Fleet") -> None:
        self.fleet = fleet

    def tick(self, host: "Host", tick: Tick) -> None: ...
    def event(self, host: "Host", kind: str, detail: Any) -> None: ...
    def step(self) -> None: ...

    def breach(self, host: "Host", text: str) -> None:
        if len(self.broken) < 5:
            self.broken.append(f"{self.name} at {self.fleet.now:.1f} s, {host.name}: {text}")


@dataclass(slots=True)
class Span:
    """Since when something has been true without a break, and when it was last true."""

    since: float | None = None
    last: float = float("-inf")

    def note(self, true: bool, now: float) -> None:
        if not true:
            self.since = None
            return
        self.since = now if self.since is None else self.since
        self.last = now

    def lasted(self, now: float) -> float:
        return 0.0 if self.since is None else now - self.since


@dataclass
class Truth:
    """What really was the matter with a host, by name."""

    spans: dict[str, Span] = field(default_factory=dict)

    def note(self, name: str, true: bool, now: float) -> None:
        self.spans.setdefault(name, Span()).note(true, now)

    def lately(self, name: str, now: float, within: float) -> bool:
        return now - self.spans.setdefault(name, Span()).last <= within

    def lasted(self, name: str, now: float) -> float:
        return self.spans.setdefault(name, Span()).lasted(now)


class Truths(Law):
    """Looks at every host each step; the other laws ask it. Breaks nothing itself."""

    name = "truth"

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.of = {host.name: Truth() for host in fleet.hosts}
        self.lives: dict[str, int] = {}
        for host in fleet.hosts:
            host.truth = self.of[host.name]

    def step(self) -> None:
        for host in self.fleet.hosts:
            self.look(host)

    def tick(self, host: "Host", tick: Tick) -> None:
        self.look(host)

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        self.look(host)

    def look(self, host: "Host") -> None:
        now, note, engine, ills = self.fleet.now, self.of[host.name].note, host.engine, host.engine.ills
        note("dead", not engine.alive, now)
        note("renewed", engine.lives > self.lives.get(host.name, engine.lives), now)
        self.lives[host.name] = engine.lives
        note("closed", engine.alive and not engine.accepts(), now)
        note("hung", engine.alive and engine.hung(), now)
        note("wrong", ills.wrong or ills.no_model, now)
        note("no model", ills.no_model, now)
        note("stuck", ills.load_stuck, now)
        note("refuses", ills.refuses, now)
        note("not ready", not host.verdict, now)
        note("degraded", bool(ills.degraded), now)
        note("cut", not host.connector.ready, now)
        note("connector dead", not host.connector.alive, now)
        note("gpu", bool(host.gpu_fault) or host.kernel_ill, now)
        note("alone", not any(_effective(peer) for peer in self.fleet.hosts if peer is not host), now)
        for check in host.terms.checks:
            note(check.code, host.checks.get(check.name, "healthy") in ("degraded", "unhealthy"), now)
        note("handled", host.handled, now)
        note("misled", host.connector.ingress != host.terms.ingress, now)


def _effective(host: "Host") -> bool:
    return host.pool.enabled and host.pool.healthy is True


def view(tick: Tick) -> MembershipView | None:
    """The membership as this tick saw it, from a reading at most 30 s old."""
    reading = tick.observed.membership
    fresh = isinstance(reading, Value) and tick.now - reading.at <= tick.desired.terms.fresh
    return reading.value if fresh and isinstance(reading, Value) else None


def peers(tick: Tick) -> tuple[Endpoint, ...] | None:
    if tick.desired.terms.alone:
        return ()
    seen = view(tick)
    return None if seen is None else seen.peers


def others(tick: Tick) -> int | None:
    """Other endpoints known effective; None where that is unknown."""
    found = peers(tick)
    return None if found is None else sum(peer.effective for peer in found)


def higher(tick: Tick) -> bool:
    """A fresh reading shows an effective endpoint of higher rank, ties by name."""
    seen = view(tick)
    if seen is None or seen.peers is None:
        return False
    own = (seen.own.rank, seen.own.name)
    return any(peer.effective and (peer.rank, peer.name) < own for peer in seen.peers)


def joins(tick: Tick) -> bool:
    """An arrow into joining; an adopted host was inside already."""
    return tick.arrow is not None and tick.arrow[1] is Phase.JOINING and not tick.adopting


def leaves(tick: Tick) -> Cause | None:
    """The cause of a leaving that begins with this tick."""
    if tick.arrow is None or tick.arrow[1] is not Phase.DRAINING:
        return None
    return tick.decision.saved.cause


def kinds(decision: Decision) -> set[CauseKind]:
    return {cause.kind for cause in decision.causes}


def own_pool(host: "Host") -> bool:
    return host.terms.membership is MembershipKind.OWN_POOL
