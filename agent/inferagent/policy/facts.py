"""What one tick knows, with the small questions that several rules ask of it."""

from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Facts:
    """Observed, desired, and the saved state after this tick's evidence was folded in; causes worst first."""

    observed: Observed
    desired: Desired
    saved: Saved
    causes: tuple[Cause, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def now(self) -> float:
        return self.observed.now

    @property
    def terms(self) -> Terms:
        return self.desired.terms

    @property
    def memory(self) -> Memory:
        return self.saved.memory

    @property
    def unit(self) -> Unit | None:
        return known(self.observed.engine_unit)

    @property
    def engine_dead(self) -> bool:
        """Known to have no process at all, leftovers included."""
        return self.unit is not None and not self.unit.alive and not self.unit.leftovers

    @property
    def incarnation(self) -> str:
        return self.unit.incarnation if self.unit else ""

    @property
    def replica(self) -> bool:
        return self.terms.membership is MembershipKind.REPLICA

    @property
    def view(self) -> MembershipView | None:
        """The membership, from a fresh reading only."""
        reading = self.observed.membership
        fresh = isinstance(reading, Value) and self.now - reading.at <= self.terms.fresh
        return known(reading) if fresh else None

    @property
    def read_at(self) -> float:
        """When the fresh membership reading was begun; -inf without one."""
        return self.observed.membership.at if self.view else float("-inf")

    @property
    def own(self) -> Endpoint | None:
        return self.view.own if self.view else None

    @property
    def peers(self) -> tuple[Endpoint, ...] | None:
        """The others, from a fresh reading; () where none exist by configuration; None = unknown."""
        if self.terms.alone:
            return ()
        return self.view.peers if self.view else None

    @property
    def others_effective(self) -> int | None:
        return None if self.peers is None else sum(peer.effective for peer in self.peers)

    @property
    def alone(self) -> bool:
        """Known to be without any other effective endpoint."""
        return self.others_effective == 0

    @property
    def generation(self) -> Generation | None:
        """The last generation's outcome, if it asked the present incarnation."""
        last = known(self.observed.generation)
        return last if last and last.incarnation == self.incarnation else None

    def worst(self, *kinds: CauseKind) -> Cause | None:
        """The worst present cause, of `kinds` only if any are named."""
        return next((c for c in self.causes if not kinds or c.kind in kinds), None)

    @property
    def ill(self) -> Cause | None:
        """The worst certain or inferred cause."""
        return self.worst(CauseKind.CERTAIN, CauseKind.INFERRED)
