"""How often to look and to ask for a generation; looking costs tokens, so it follows the phase."""

from inferagent.model.decision import Pace
from inferagent.model.desired import EngineKind
from inferagent.model.phase import Phase
from inferagent.model.reading import known
from inferagent.policy.evidence import frozen_for
from inferagent.policy.facts import Facts

EAGER, JOINING, HUNG, IDLE = 5.0, 30.0, 30.0, 60.0
# Causes that only a generation can end.
CURED_BY_GENERATION = ("engine-restarted", "generation-failed")


def pace(facts: Facts, join_open: bool) -> Pace:
    """`join_open`: nothing but the proof by a generation forbids the join."""
    phase, terms = facts.saved.phase, facts.terms
    look = min(terms.pace_look, 1.0) if phase is Phase.DRAINING or suspected(facts) else terms.pace_look
    busy = phase in (Phase.JOINING, Phase.DRAINING) or facts.ill is not None
    membership = min(terms.pace_membership, 3.0) if busy else terms.pace_membership
    if facts.memory.wait_since is not None and phase in (Phase.JOINING, Phase.SERVING):
        membership = 1.0
    return Pace(5.0, look, membership, generation(facts, join_open))


def generation(facts: Facts, join_open: bool) -> float | None:
    """Seconds between two generations, None = do not ask. A refusing port is not asked."""
    if not known(facts.observed.engine.accepts):
        return None
    match facts.saved.phase:
        case Phase.SERVING:
            return _serving(facts)
        case Phase.JOINING:
            return EAGER if suspected(facts) or facts.memory.generation_ok_at is None else JOINING
        case _:
            return _outside(facts, join_open)


def _outside(facts: Facts, join_open: bool) -> float | None:
    if any(cause.code in ("engine-hung", "load-stuck") for cause in facts.causes):
        return HUNG if _asked_since_leaving(facts) else EAGER
    ill = [cause for cause in facts.causes if cause.code not in CURED_BY_GENERATION]
    curable = not ill and bool(facts.causes)
    warming = not facts.causes and facts.terms.engine is EngineKind.VLLM
    warming = warming and facts.memory.generation_ok_at is None
    return EAGER if join_open or curable or warming else None


def _asked_since_leaving(facts: Facts) -> bool:
    last, drain = facts.generation, facts.saved.drain
    return last is not None and drain is not None and last.begun > drain.left_at


def _serving(facts: Facts) -> float | None:
    if suspected(facts):
        return EAGER
    if facts.terms.engine is EngineKind.OLLAMA:
        return None
    moved = facts.memory.moved_at
    real = moved is not None and facts.now - moved < IDLE
    return None if real else IDLE


def suspected(facts: Facts) -> bool:
    """Requests are in the engine and nothing moves, or a generation went wrong: ask again soon."""
    memory, last = facts.memory, facts.generation
    if memory.generation_bad or (last is not None and last.outcome == "unanswered"):
        return True
    frozen = frozen_for(memory)
    if frozen is None or memory.load_since is None:
        return False
    ollama = facts.terms.engine is EngineKind.OLLAMA
    return frozen >= (facts.terms.hang_frozen / 3 if ollama else facts.terms.suspect_frozen)
