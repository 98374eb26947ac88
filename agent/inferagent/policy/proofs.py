"""Proofs: that the host is out, that it is quiet, and that it can really serve."""

from inferagent.model.change import changed
from inferagent.model.engine import Outcome
from inferagent.model.health import CauseKind, Repair
from inferagent.model.membership import MembershipKind
from inferagent.model.reading import Value, known
from inferagent.model.saved import Drain, Saved
from inferagent.policy.evidence import still_for
from inferagent.policy.facts import Facts
from inferagent.policy.leaving import verdict_alone

DISABLED = "the pool reads disabled"
UNCONNECTED = "the connector has no connection"
MONITORED = "the monitor has seen the verdict"
ALONE = "the verdict alone"
HANGS = ("engine-hung", "load-stuck")


def out_proof(facts: Facts, drain: Drain) -> str:
    """Which proof of being out stands at this moment, before any settling; "" for none."""
    own, kind = facts.own, facts.terms.membership
    if kind is MembershipKind.OWN_POOL and own is not None and _read_since(facts, drain) and not own.enabled:
        return DISABLED
    if _no_connection(facts, drain):
        return UNCONNECTED
    waited = facts.now - drain.left_at >= facts.terms.monitor_bound and not _unasked(facts, drain)
    if waited and kind is not MembershipKind.REPLICA and not (own is not None and own.effective):
        return MONITORED
    if kind is MembershipKind.OWN_POOL and verdict_alone(facts):
        return ALONE
    return ""


def _unasked(facts: Facts, drain: Drain) -> bool:
    """The ready URL alone takes this host out, and its monitor, seen asking before, has not asked since."""
    asked_at = facts.memory.asked_at
    pull = facts.terms.membership is MembershipKind.PULL
    return pull and asked_at is not None and asked_at <= drain.left_at


def _read_since(facts: Facts, drain: Drain) -> bool:
    """The reading of the pool was begun after leaving, and after our last write."""
    write = facts.saved.last_write
    return facts.read_at > drain.left_at and (write is None or facts.read_at > write.at)


def _no_connection(facts: Facts, drain: Drain) -> bool:
    unit, ready = known(facts.observed.connector_unit), facts.observed.connector.ready
    if unit is not None and not unit.alive:
        return True
    return isinstance(ready, Value) and ready.value == 0 and ready.at > drain.left_at


def prove(facts: Facts, saved: Saved) -> Saved:
    """Note the first proof; a reading that contradicts it takes it back, a missing one does not."""
    drain = saved.drain
    if drain is None:
        return saved
    if drain.proof and _contradicted(facts, drain):
        drain = changed(drain, proven_at=None, proof="")
    proof = out_proof(facts, drain) or drain.proof
    if proof and (drain.proven_at is None or proof != drain.proof):
        first = facts.now if drain.proven_at is None else drain.proven_at
        drain = changed(drain, proven_at=first, proof=proof)
    return saved if drain is saved.drain else changed(saved, drain=drain)


def _contradicted(facts: Facts, drain: Drain) -> bool:
    """Whether a reading shows the opposite of the noted proof."""
    own = facts.own if facts.read_at > drain.left_at else None
    if drain.proof == UNCONNECTED:
        return bool(known(facts.observed.connector.ready))
    if drain.proof == ALONE:
        return bool(facts.others_effective) or (facts.alone and not verdict_alone(facts))
    return own is not None and (own.effective if drain.proof == MONITORED else own.enabled)


def out_proven(facts: Facts) -> bool:
    """Proven, and settled since; without other endpoints, no arrivals while settling either."""
    drain, settle = facts.saved.drain, facts.terms.settle
    if drain is None or drain.proven_at is None or facts.now - drain.proven_at < settle:
        return False
    if drain.proof != DISABLED or facts.others_effective or _nothing_lost(facts):
        return True
    return _no_arrivals(facts, settle)


def proven_now(facts: Facts) -> bool:
    """The proof holds again at this very moment (S3, before an engine is touched that may still answer)."""
    return out_proven(facts) and facts.saved.drain is not None and bool(out_proof(facts, facts.saved.drain))


def quiet(facts: Facts) -> bool:
    """Nothing in flight and nothing arriving; unknown is not quiet."""
    if _nothing_lost(facts):
        return True
    idle, wanted = facts.memory.idle_since, facts.terms.quiet
    empty = idle is not None and facts.now - idle >= wanted
    silent = bool(verdict_alone(facts)) or _no_arrivals(facts, wanted)
    return (empty and silent) or _frozen_long_enough(facts)


def _nothing_lost(facts: Facts) -> bool:
    """A dead engine has no requests, nor has one that has not accepted yet; where nobody else could answer
    either, what arrives at an engine that only its restart cures delays nothing."""
    accepts = facts.observed.engine.accepts
    closed = isinstance(accepts, Value) and not accepts.value and not facts.memory.accepted
    if facts.engine_dead or closed or not facts.alone:
        return facts.engine_dead or closed
    ill = (CauseKind.INFERRED, CauseKind.CERTAIN)
    cures = (Repair.START_ENGINE, Repair.RESTART_ENGINE)
    return any(cause.kind in ill and cause.repair in cures for cause in facts.causes)


def _no_arrivals(facts: Facts, seconds: float) -> bool:
    unit = known(facts.observed.connector_unit)
    if unit is not None and not unit.alive:
        return True
    arrived, traffic = facts.memory.arrived_at, facts.observed.connector.traffic
    return isinstance(traffic, Value) and arrived is not None and traffic.at - arrived >= seconds


def _frozen_long_enough(facts: Facts) -> bool:
    """A hung engine's requests are lost already: they delay its repair by one more quiet time only."""
    drain = facts.saved.drain
    hung = any(cause.code in HANGS for cause in facts.causes)
    if not hung or drain is None or drain.proven_at is None:
        return False
    return facts.now - drain.proven_at >= facts.terms.settle + facts.terms.quiet


def past_deadline(facts: Facts) -> bool:
    drain = facts.saved.drain
    return drain is not None and drain.deadline is not None and facts.now >= drain.deadline


def join_unproven(facts: Facts) -> str:
    """ "" or what the proof of S11 lacks: a recent generation of this life, newer than every cause."""
    at = facts.memory.generation_ok_at
    if at is None:
        return "no generation has come back yet"
    if at <= facts.saved.proof_floor:
        return "no generation is newer than the last cause"
    age = facts.now - at
    return "" if age <= facts.terms.proof_age else f"the last generation is {age:.0f} s old"


def still_ill(facts: Facts) -> str:
    """ "" or why an engine that may still answer is not to be restarted for an inferred cause yet (S3).

    A generation begun after leaving, at most 45 s ago, must have failed too; and a hang must have lasted
    twice as long as makes a hang, up to that generation's end: a stall that ends by itself costs a drain,
    never a restart. Wrong answers that have given way to none are such a stall until then.
    """
    codes, accepts = {cause.code for cause in facts.causes}, facts.observed.engine.accepts
    refuses = isinstance(accepts, Value) and not accepts.value  # answers nobody, and is not asked
    hung = any(code in HANGS for code in codes)
    if refuses or not (hung or "generation-failed" in codes):
        return ""
    last, drain, still = facts.generation, facts.saved.drain, still_for(facts.memory)
    recent = last is not None and facts.now - last.begun <= facts.terms.hang_proof_age
    if (
        last is None
        or drain is None
        or not recent
        or last.begun <= drain.left_at
        or last.outcome is Outcome.OK
    ):
        return "no generation begun after leaving has failed lately"
    if not hung and last.outcome is Outcome.WRONG:
        return ""
    if still is None or facts.memory.looked_at is None:
        return "nothing tells whether the engine moves"
    lasted = last.ended - (facts.memory.looked_at - still)
    return "the engine may still recover by itself" if lasted < 2 * facts.terms.hang_frozen else ""
