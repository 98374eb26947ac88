"""What one tick knows, with the small questions that several rules ask of it."""

from dataclasses import dataclass, field

from inferagent.model.change import changed
from inferagent.model.desired import Desired, Terms
from inferagent.model.engine import Generation
from inferagent.model.health import Cause, CauseKind, Finding
from inferagent.model.membership import Endpoint, MembershipKind, MembershipView
from inferagent.model.observed import Observed
from inferagent.model.reading import Value, known
from inferagent.model.saved import Memory, Saved
from inferagent.model.unit import Unit


@dataclass(frozen=True, slots=True)
class Judgement:
    """Causes and findings of one component."""

    causes: tuple[Cause, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Observed, desired, and the saved state after this tick's evidence was folded in; causes worst first.

    The rest follows from observed and desired alone, and is worked out once a tick.
    """

    observed: Observed
    desired: Desired
    saved: Saved
    causes: tuple[Cause, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    called_back: bool = False  # a rule forbids to stay out for comfort (S14)
    now: float = field(init=False)
    terms: Terms = field(init=False)
    replica: bool = field(init=False)
    unit: Unit | None = field(init=False)
    engine_dead: bool = field(init=False)  # known to have no process at all, leftovers included
    incarnation: str = field(init=False)
    generation: Generation | None = field(init=False)  # the last, if it asked the present incarnation
    view: MembershipView | None = field(init=False)  # the membership, from a fresh reading only
    read_at: float = field(init=False)  # when the fresh membership reading was begun; -inf without one
    own: Endpoint | None = field(init=False)
    peers: tuple[Endpoint, ...] | None = field(init=False)  # () by configuration; None = unknown
    others_effective: int | None = field(init=False)
    alone: bool = field(init=False)  # known to be without any other effective endpoint

    def __post_init__(self) -> None:
        terms = self.desired.terms
        for derived in (_of_host(self.observed, terms), _of_pool(self.observed, terms)):
            for name, value in derived.items():
                object.__setattr__(self, name, value)

    def keeping(self, saved: Saved) -> "Facts":
        """The same tick with another saved state."""
        return self if saved is self.saved else changed(self, saved=saved)

    @property
    def memory(self) -> Memory:
        return self.saved.memory

    def worst(self, *kinds: CauseKind) -> Cause | None:
        """The worst present cause, of `kinds` only if any are named."""
        return next((c for c in self.causes if not kinds or c.kind in kinds), None)

    @property
    def ill(self) -> Cause | None:
        """The worst certain or inferred cause."""
        return self.worst(CauseKind.CERTAIN, CauseKind.INFERRED)


def _of_host(observed: Observed, terms: Terms) -> dict[str, object]:
    unit, last = known(observed.engine_unit), known(observed.generation)
    incarnation = unit.incarnation if unit else ""
    return {
        "now": observed.now,
        "terms": terms,
        "replica": terms.membership is MembershipKind.REPLICA,
        "unit": unit,
        "engine_dead": unit is not None and not unit.alive and not unit.leftovers,
        "incarnation": incarnation,
        "generation": last if last and last.incarnation == incarnation else None,
    }


def _of_pool(observed: Observed, terms: Terms) -> dict[str, object]:
    reading = observed.membership
    fresh = isinstance(reading, Value) and observed.now - reading.at <= terms.fresh
    view = known(reading) if fresh else None
    peers = () if terms.alone else view.peers if view else None
    others = None if peers is None else sum(peer.effective for peer in peers)
    return {
        "view": view,
        "read_at": reading.at if view else float("-inf"),
        "own": view.own if view else None,
        "peers": peers,
        "others_effective": others,
        "alone": others == 0,
    }
