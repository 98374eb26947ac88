"""Laws of leaving: S1 nothing unknown acts, S2 who may leave, S5 the order, S9 without delay, S14 a loan."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.fleet.law import ILL, INSIDE, Law, Truth, higher, leaves, others, own_pool, peers, view
from tests.fleet.ports import CHECK_EVERY
from tests.property.laws import Tick

from inferagent.model.action import Push
from inferagent.model.desired import Terms
from inferagent.model.health import Cause, CauseKind
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import NEVER, Failed, Value
from inferagent.model.unit import Part

if TYPE_CHECKING:
    from tests.fleet.fleet import Fleet
    from tests.fleet.host import Host

LATELY = 5.0  # seconds that a judgement may be behind the truth
READ_BY = 60.0  # seconds in which a change of the pool has surely been read, where it can be read at all
SLOW = 40.0  # the same where it rests on questions that are asked seldom

# What must have been true for a cause to be named: (truth, seconds ago at most).
TRUE_OF: dict[str, tuple[tuple[str, float], ...]] = {
    "engine-gone": (("dead", LATELY),),
    "engine-stopped-by-person": (("dead", LATELY),),
    "engine-stopped": (("dead", LATELY),),
    "engine-missing": (("dead", LATELY),),
    "engine-refuses": (("refuses", LATELY), ("stuck", LATELY), ("closed", LATELY)),
    "model-missing": (("no model", SLOW),),
    "engine-hung": (("hung", SLOW),),
    "load-stuck": (("hung", SLOW),),
    "generation-failed": (("wrong", SLOW), ("dead", SLOW), ("closed", SLOW)),
    "warming-stuck": (("stuck", SLOW),),
    "no-edge": (("cut", LATELY),),
    "connector-gone": (("connector dead", LATELY),),
    "connector-stopped-by-person": (("connector dead", LATELY),),
    "ingress-wrong": (("misled", SLOW),),
    "engine-degraded": (("degraded", SLOW),),
}


def was_true(cause: Cause, truth: Truth, host: "Host", now: float) -> bool:
    """Whether the cause names something that really was so."""
    told = TRUE_OF.get(cause.code)
    if told is not None:
        return any(truth.lately(name, now, ago) for name, ago in told)
    wishes: dict[str, Callable[[], bool]] = {
        "hold": lambda: host.held,
        "in-use": lambda: host.users.names() != {"Xorg"} or now - host.users.changed_at < SLOW,
        "parked": lambda: bool(host.desired.parked),
        "host-going": lambda: host.desired.going_until is not None,
        "other-hand": lambda: truth.lately("handled", now, READ_BY),
        "engine-restarted": lambda: host.saved.incarnation != host.engine.incarnation,
    }
    if cause.code in wishes:
        return wishes[cause.code]()
    if cause.code.startswith("check:"):
        return truth.lately(cause.code, now, CHECK_EVERY)
    return cause.code.startswith("gpu-") and truth.lately("gpu", now, SLOW + host.clock.now())


class S1(Law):
    """Nobody leaves for an illness that was none; nobody joins on what was not read."""

    name = "S1"

    def tick(self, host: "Host", tick: Tick) -> None:
        seen = tick.observed
        readings = (
            seen.engine.accepts,
            seen.membership,
            seen.engine_unit,
            seen.connector.ready,
            seen.generation,
        )
        self.met |= any(isinstance(one, Failed) and one.at != NEVER.at for one in readings)
        cause = leaves(tick)
        if cause is not None and not was_true(cause, host.truth, host, self.fleet.now):
            self.breach(host, f"left for {cause.code}, which was not so: {cause.text}")
        if tick.arrow is not None and tick.arrow == (Phase.OUT, Phase.JOINING) and not tick.adopting:
            unit, accepts = seen.engine_unit, seen.engine.accepts
            known = isinstance(unit, Value) and unit.value.alive and isinstance(accepts, Value)
            if not known or not accepts.value:
                self.breach(host, "joins although the engine is not known to run and accept")
            if not isinstance(seen.connector.ready, Value) and host.terms.membership != "replica":
                self.breach(host, "joins although the connector is not known to be connected")


class S2(Law):
    """Soft yields to higher rank, inferred to the majority, certain leaves, the last by its verdict alone."""

    name = "S2"

    def tick(self, host: "Host", tick: Tick) -> None:
        if tick.before.phase in INSIDE and tick.decision.causes:
            worst = tick.decision.causes[0].kind
            self.met |= worst is not CauseKind.CERTAIN or not others(tick)
        cause = leaves(tick)
        if cause is not None:
            self._left(host, tick, cause)
        pushed = any(isinstance(action, Push) and not action.member for action in tick.decision.actions)
        hold = tick.desired.hold
        free = (hold is not None and hold.last) or tick.decision.saved.other_hand
        if pushed and not free and others(tick) == 0:
            self.breach(host, "disables itself in the pool although nobody else is effective")
        long_alone = host.truth.lasted("alone", self.fleet.now) > READ_BY
        if pushed and not free and long_alone and others(tick) is not None:
            self.breach(
                host, "disables itself in the pool, the last effective one for longer than a reading lives"
            )

    def _left(self, host: "Host", tick: Tick, cause: Cause) -> None:
        seen, terms = view(tick), tick.desired.terms
        if seen is not None and not seen.own.enabled and cause.kind is not CauseKind.SOFT:
            return
        match cause.kind:
            case CauseKind.SOFT if not higher(tick):
                self.breach(host, f"left for {cause.code} without an effective endpoint of higher rank")
            case CauseKind.INFERRED if not (_majority(tick) or _kept(tick, cause, terms)):
                self.breach(host, f"left for {cause.code} without the majority")
            case CauseKind.OPERATOR if cause.code == "hold":
                hold = tick.desired.hold
                if not others(tick) and not (hold is not None and hold.last):
                    self.breach(host, "held as the last effective endpoint, or blindly, without --last")


def _majority(tick: Tick) -> bool:
    found = peers(tick)
    if found is None:
        return True
    effective = sum(peer.effective for peer in found)
    return effective >= 1 and 2 * effective >= len(found) + 1


def _kept(tick: Tick, cause: Cause, terms: Terms) -> bool:
    return tick.now - cause.since >= min(terms.deadline, terms.deadline_alone)


class S5(Law):
    """Leave, out proven, quiet, then the engine; the connector last."""

    name = "S5"

    def tick(self, host: "Host", tick: Tick) -> None:
        if leaves(tick) is not None and tick.decision.verdict:
            self.breach(host, "drains, and still says ready")
        if tick.arrow != (Phase.DRAINING, Phase.OUT):
            return None
        drain, terms = tick.decision.saved.drain, tick.desired.terms
        if drain is None:
            return self.breach(host, "out without a drain")
        proven = drain.proven_at is not None and tick.now - drain.proven_at >= terms.settle
        overdue = drain.deadline is not None and tick.now >= drain.deadline
        if not proven and not overdue:
            self.breach(host, "out before it was proven and settled")
        if not overdue and not self._really_out(host, tick):
            self.breach(host, "out, while its pool is enabled and connected, and the monitor had no time")
        return None

    def _really_out(self, host: "Host", tick: Tick) -> bool:
        """By the pool itself, the connections, or the time that the ready URL has said no."""
        said_no = host.truth.lasted("not ready", self.fleet.now) >= tick.desired.terms.monitor_bound
        gone = not host.connector.ready or not host.engine.alive
        # a late write of our own may enable it again: no user comes before the monitor has seen a 200
        away = not host.pool.enabled or host.pool.healthy is not True
        return not own_pool(host) or away or gone or said_no or not others(tick)

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        if kind != "touch":
            return
        touch = detail
        stops = touch.verb == "stop" and touch.alive
        if not stops or touch.part is not Part.ENGINE:
            return
        self.met = True
        if touch.in_flight and host.engine.would_answer() and not overdue(host):
            self.breach(host, f"the engine was stopped with {touch.in_flight} requests in it")


def overdue(host: "Host") -> bool:
    """The drain's own deadline has passed, or the operator's since the hold."""
    drain, now = host.saved.drain, host.clock.now()
    late = drain is not None and drain.deadline is not None and now >= drain.deadline
    return late and host.fleet.now - host.held_at >= host.hold_deadline - 0.01  # sums of floats


class S9Leaving(Law):
    """Nothing but S2 delays leaving for a certain cause or the operator."""

    name = "S9"

    def tick(self, host: "Host", tick: Tick) -> None:
        if tick.decision.phase not in INSIDE or tick.before.phase not in INSIDE:
            return
        must = [c for c in tick.decision.causes if c.kind in (CauseKind.CERTAIN, CauseKind.OPERATOR)]
        kept = any(veto.rule == "S2" and veto.proposal == "go to draining" for veto in tick.decision.vetoes)
        unadopted = not tick.before.adopted
        if must and not kept and not unadopted and tick.desired.mode == "act":
            self.breach(host, f"stays inside with {must[0].code}")


class S14(Law):
    """A soft absence ends when a fresh reading forbids it."""

    name = "S14"

    def tick(self, host: "Host", tick: Tick) -> None:
        causes = tick.decision.causes
        soft = bool(causes) and all(cause.kind is CauseKind.SOFT for cause in causes)
        if tick.decision.phase in INSIDE or not soft:
            return
        called = view(tick) is not None and own_pool(host) and not higher(tick)
        self.met |= called or tick.decision.label is Label.PARKED
        if called and tick.decision.label is Label.PARKED:
            self.breach(host, "stays parked although no endpoint of higher rank is effective")


class Certain(Law):
    """No dead host in beyond its bound: the verdict at once, the monitor within its own time."""

    name = "dead host out"
    VERDICT = 3.0

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.sees_since = 0.0

    def step(self) -> None:
        monitor = self.fleet.edge.monitor
        self.sees_since = self.fleet.now if monitor.blind else self.sees_since
        bound = monitor.interval * (monitor.consecutive + 1) + 8.0
        for host in self.fleet.hosts:
            dead = host.truth.lasted("dead", self.fleet.now)
            judged = host.agent and not host.frozen and not host.units_unknown
            self.met |= dead > self.VERDICT and judged
            if host.awake_for() > self.VERDICT and judged and dead > self.VERDICT and host.verdict:
                self.breach(host, f"dead for {dead:.0f} s and still ready")
            seen = min(dead, self.fleet.now - max(host.pool.enabled_since, self.sees_since))
            if seen > bound and host.pool.healthy:
                self.breach(host, f"dead for {dead:.0f} s and healthy at the edge")


class Soft(Law):
    """Never all out by soft causes: whoever is out for comfort alone comes back when nobody serves."""

    name = "never all out by soft causes"
    BOUND = 120.0

    def begin(self, fleet: object) -> None:
        super().begin(fleet)
        self.since: float | None = None

    def step(self) -> None:
        hosts = [host for host in self.fleet.hosts if host.agent and not host.frozen]
        alone = hosts and not any(host.phase in INSIDE for host in self.fleet.hosts)
        soft = [host for host in hosts if self._soft_only(host)]
        self.met |= any(cause.kind is CauseKind.SOFT for host in hosts for cause in host.causes())
        if not alone or not soft:
            self.since = None
            return
        self.since = self.fleet.now if self.since is None else self.since
        if self.fleet.now - self.since > self.BOUND:
            self.breach(soft[0], "all are out, this one by a soft cause alone")
            self.since = None

    def _soft_only(self, host: "Host") -> bool:
        causes = host.causes()
        soft = bool(causes) and all(cause.kind is CauseKind.SOFT for cause in causes)
        joined = host.connector.ready and not host.connector.metrics_fail
        able = host.engine.would_answer() and joined and not host.disk.full
        reads = own_pool(host) and host.line.token and not host.line.cut and not self.fleet.account.down
        return soft and able and reads and host.line.writes == "ok" and not host.foreign


class Overload(Law):
    """A fleet whose engines are all well, however loaded, loses nobody."""

    name = "a healthy fleet loses nobody"

    def tick(self, host: "Host", tick: Tick) -> None:
        cause = leaves(tick)
        if len(host.engine.waiting) > host.engine.slots:
            self.met = True
            connected = not host.truth.lately("cut", self.fleet.now, 90.0)
            well = (
                host.engine.fine_for() > 60.0
                and connected
                and not host.truth.lately("gpu", self.fleet.now, 1e9)
            )
            if cause is not None and cause.kind in ILL and well and cause.code != "host-going":
                self.breach(host, f"left for {cause.code} under load")
