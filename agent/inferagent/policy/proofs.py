"""Proofs: that the host is out, that it is quiet, and that it can really serve."""

from dataclasses import replace

from inferagent.model.engine import Outcome
from inferagent.model.membership import MembershipKind
from inferagent.model.reading import Value, known
from inferagent.model.saved import Drain, Saved
from inferagent.policy.facts import Facts
from inferagent.policy.flight import in_flight
from inferagent.policy.leaving import verdict_alone


def out_proof(facts: Facts, drain: Drain) -> str:
    """Which proof of being out stands at this moment, before any settling; "" for none."""
    own, kind = facts.own, facts.terms.membership
    read_after = facts.read_at > drain.left_at
    if kind is MembershipKind.OWN_POOL and own is not None and read_after and not own.enabled:
        return "the pool reads disabled"
    if _no_connection(facts, drain):
        return "the connector has no connection"
    if kind is not MembershipKind.REPLICA and facts.now - drain.left_at >= facts.terms.monitor_bound:
        return "the monitor has seen the verdict"
    if kind is MembershipKind.OWN_POOL and verdict_alone(facts):
        return "the verdict alone"
    return ""


def _no_connection(facts: Facts, drain: Drain) -> bool:
    unit, ready = known(facts.observed.connector_unit), facts.observed.connector.ready
    if unit is not None and not unit.alive:
        return True
    return isinstance(ready, Value) and ready.value == 0 and ready.at > drain.left_at


def prove(facts: Facts, saved: Saved) -> Saved:
    """Note the first proof; a reading that shows the host in takes it back, a missing one does not."""
    drain = saved.drain
    if drain is None:
        return saved
    proof = out_proof(facts, drain)
    if proof:
        first = facts.now if drain.proven_at is None else drain.proven_at
        return replace(saved, drain=replace(drain, proven_at=first, proof=proof))
    contradicted = facts.own is not None and facts.own.enabled and facts.read_at > drain.left_at
    return replace(saved, drain=replace(drain, proven_at=None, proof="")) if contradicted else saved


def out_proven(facts: Facts) -> bool:
    """Proven, and settled since; without other endpoints, no arrivals while settling either."""
    drain, settle = facts.saved.drain, facts.terms.settle
    if drain is None or drain.proven_at is None or facts.now - drain.proven_at < settle:
        return False
    if drain.proof != "the pool reads disabled" or facts.others_effective or facts.engine_dead:
        return True
    return _no_arrivals(facts, settle)


def proven_now(facts: Facts) -> bool:
    """The proof holds again at this very moment (S3, before an engine is touched that may still answer)."""
    return out_proven(facts) and facts.saved.drain is not None and bool(out_proof(facts, facts.saved.drain))


def quiet(facts: Facts) -> bool:
    """Nothing in flight and nothing arriving; unknown is not quiet."""
    if facts.engine_dead:
        return True
    flight = in_flight(facts.observed)
    alone = verdict_alone(facts)
    if flight.total == 0 and (alone or _no_arrivals(facts, facts.terms.quiet)):
        return True
    return _frozen_long_enough(facts)


def _no_arrivals(facts: Facts, seconds: float) -> bool:
    unit = known(facts.observed.connector_unit)
    if unit is not None and not unit.alive:
        return True
    arrived, traffic = facts.memory.arrived_at, facts.observed.connector.traffic
    return isinstance(traffic, Value) and arrived is not None and traffic.at - arrived >= seconds


def _frozen_long_enough(facts: Facts) -> bool:
    """A hung engine's requests are lost already: they delay its repair by one more quiet time only."""
    drain = facts.saved.drain
    hung = any(cause.code in ("engine-hung", "load-stuck") for cause in facts.causes)
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


def hang_confirmed(facts: Facts) -> bool:
    """A generation begun after leaving, unanswered, at most 45 s ago (S3)."""
    last, drain = facts.generation, facts.saved.drain
    if last is None or drain is None or last.outcome is not Outcome.UNANSWERED:
        return False
    return last.begun > drain.left_at and facts.now - last.ended <= facts.terms.hang_proof_age
