"""Which change of phase the facts propose, and what a change leaves behind in the saved state."""

from inferagent.model.action import Move
from inferagent.model.change import changed
from inferagent.model.health import Cause, CauseKind
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase, check_arrow
from inferagent.model.reading import known
from inferagent.model.saved import Drain, Saved
from inferagent.policy import budget
from inferagent.policy.facts import Facts
from inferagent.policy.lending import residents
from inferagent.policy.proofs import out_proven, past_deadline, quiet

# What a host that is about to go keeps back of its notice, for the steps after the drain.
SPARE = 1.0


def standing(facts: Facts) -> tuple[Cause, ...]:
    """The causes that keep a host out: a soft one only as long as it may (S14)."""
    inside = facts.saved.phase in (Phase.JOINING, Phase.SERVING)
    over = not inside and facts.called_back
    return tuple(c for c in facts.causes if c.kind is not CauseKind.SOFT) if over else facts.causes


def propose(facts: Facts) -> tuple[Move, ...]:
    """The moves that the facts ask for, the first that no rule stops is taken."""
    causes = standing(facts)
    match facts.saved.phase:
        case Phase.OUT:
            return () if causes else (Move(Phase.JOINING),)
        case Phase.JOINING:
            proven = facts.memory.generation_ok_at is not None  # an adopted host begins here without
            inward = (Move(Phase.SERVING),) if proven and effective(facts) else ()
            return (*(Move(Phase.DRAINING, cause) for cause in causes), *inward)
        case Phase.SERVING:
            return tuple(Move(Phase.DRAINING, cause) for cause in causes)
        case Phase.DRAINING:
            back = () if causes else (Move(Phase.JOINING),)
            done = (out_proven(facts) and quiet(facts)) or past_deadline(facts)
            return (*back, Move(Phase.OUT)) if done else back


def effective(facts: Facts) -> bool:
    """The membership receives traffic, by a reading begun after the last write and the phase."""
    own = facts.own
    if own is None:
        return False
    if facts.terms.membership is MembershipKind.REPLICA:
        return bool(known(facts.observed.connector.ready))
    return own.effective and facts.read_at > facts.saved.since


def step(facts: Facts, move: Move) -> Saved:
    """The saved state after the move. Raises ValueError for an arrow that is not listed."""
    saved = facts.saved
    check_arrow(saved.phase, move.to)
    after = changed(saved, phase=move.to, since=facts.now)
    match move.to:
        case Phase.JOINING:
            joins = tuple(at for at in saved.joins if facts.now - at < budget.HOUR)
            return changed(
                after,
                cause=None,
                drain=None,
                incarnation=facts.incarnation,
                joins=(*joins, facts.now),
                residents=residents(facts),
            )
        case Phase.SERVING:
            return changed(after, serving_since=facts.now, resume_free=False)
        case Phase.DRAINING:
            return _leave(facts, after, move.cause)
        case Phase.OUT:
            return after


def _leave(facts: Facts, after: Saved, cause: Cause | None) -> Saved:
    drain = Drain(facts.now, deadline(facts, cause))
    after = changed(after, cause=cause, drain=drain, serving_since=None)
    if cause is None or cause.kind not in (CauseKind.INFERRED, CauseKind.CERTAIN):
        return after
    level = after.hold_off_level + 1
    until = facts.now + budget.hold_off(level, facts.terms.hold_off)
    return changed(after, hold_off_level=level, hold_off_until=until)


def deadline(facts: Facts, cause: Cause | None) -> float | None:
    """The boot-clock second at which a drain for this cause ends in any case; None = never."""
    terms, hold = facts.terms, facts.desired.hold
    if facts.desired.going_until is not None:
        return facts.desired.going_until - SPARE
    if cause is None or cause.kind is CauseKind.SOFT:
        return None
    if cause.kind is CauseKind.OPERATOR:
        asked = hold.deadline if hold is not None else None
        return facts.now + (terms.deadline_operator if asked is None else asked)
    return facts.now + (terms.deadline_alone if facts.alone else terms.deadline)


def tighten(facts: Facts, saved: Saved) -> Saved:
    """While draining, the worst cause present sets the deadline: it only ever comes nearer."""
    worst = facts.worst()
    if saved.phase is not Phase.DRAINING or saved.drain is None or worst is None:
        return saved
    bounds = [at for at in (deadline(facts, worst), saved.drain.deadline) if at is not None]
    nearest = min(bounds) if bounds else None
    worse = saved.cause is None or worst.kind > saved.cause.kind
    if nearest == saved.drain.deadline and not worse:
        return saved
    return changed(saved, drain=changed(saved.drain, deadline=nearest), cause=worst if worse else saved.cause)
