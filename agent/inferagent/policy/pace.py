"""How often to look and to ask for a generation; looking costs tokens and calls, so it follows the phase."""

from inferagent.model.decision import Pace
from inferagent.model.desired import EngineKind
from inferagent.model.engine import Outcome
from inferagent.model.phase import Phase
from inferagent.model.reading import Value
from inferagent.policy.evidence import moved_since, still_for
from inferagent.policy.facts import Facts
from inferagent.policy.judge_port import port_pace
from inferagent.policy.phases import standing
from inferagent.policy.proofs import HANGS, join_unproven

EAGER, JOINING, HUNG, IDLE = 5.0, 30.0, 30.0, 60.0
# A join or a drain that has lasted so long (seconds) is no reason to read the pool often any more.
LONG = 300.0
TURNING = 30.0
# Causes that only a generation can end.
CURED_BY_GENERATION = ("engine-restarted", "generation-failed")


def pace(facts: Facts, join_open: bool) -> Pace:
    """`join_open`: nothing but the proof by a generation forbids the join."""
    phase, terms = facts.saved.phase, facts.terms
    inside = phase in (Phase.JOINING, Phase.SERVING)
    doubt = suspected(facts)
    look = min(terms.pace_look, 1.0) if phase is Phase.DRAINING or doubt else terms.pace_look
    young = facts.now - facts.saved.since < LONG
    busy = (phase in (Phase.JOINING, Phase.DRAINING) and young) or (inside and facts.ill is not None)
    membership = min(terms.pace_membership, 3.0) if busy else terms.pace_membership
    held = next((cause for cause in facts.causes if cause.code == "hold"), None)
    asked = held is not None and facts.now - held.since < TURNING
    if inside and (facts.memory.wait_since is not None or asked):
        membership = 1.0
    return Pace(5.0, look, membership, _generation(facts, join_open, doubt), port_pace(facts))


def _generation(facts: Facts, join_open: bool, doubt: bool) -> float | None:
    """Seconds between two generations, None = do not ask. A refusing port is not asked."""
    accepts, phase = facts.observed.engine.accepts, facts.saved.phase
    inside = phase in (Phase.JOINING, Phase.SERVING)
    if isinstance(accepts, Value) and not accepts.value:
        return None
    if not inside:
        return _outside(facts, join_open) if isinstance(accepts, Value) else None
    unwritten = facts.own is not None and not facts.own.enabled and not facts.saved.other_hand
    if doubt or (unwritten and join_unproven(facts)):
        return EAGER
    return _serving(facts) if phase is Phase.SERVING else _joining(facts)


def _outside(facts: Facts, join_open: bool) -> float | None:
    causes = standing(facts)
    if any(cause.code in HANGS for cause in causes):
        return min(HUNG, facts.terms.hang_frozen) if _asked_since_leaving(facts) else EAGER
    curable = bool(causes) and all(cause.code in CURED_BY_GENERATION for cause in causes)
    warming = not causes and facts.terms.engine is EngineKind.VLLM
    warming = warming and facts.memory.generation_ok_at is None
    doubted = 0 < facts.memory.generation_bad < facts.terms.falls  # begun to be judged: not left half told
    return EAGER if join_open or curable or warming or doubted else None


def _asked_since_leaving(facts: Facts) -> bool:
    last, drain = facts.generation, facts.saved.drain
    return last is not None and drain is not None and last.begun > drain.left_at


def _joining(facts: Facts) -> float:
    """An adopted host has not been asked at all."""
    return EAGER if facts.generation is None else JOINING


def _serving(facts: Facts) -> float | None:
    if facts.terms.engine is EngineKind.OLLAMA:
        return None
    moved = facts.memory.moved_at
    real = moved is not None and facts.now - moved < IDLE
    return None if real else IDLE


def suspected(facts: Facts) -> bool:
    """Requests are in the engine and nothing moves, or the last question went wrong: ask again soon."""
    memory, last = facts.memory, facts.generation
    silent = last is not None and last.outcome is Outcome.UNANSWERED and not _moves_since(facts, last.begun)
    if memory.generation_bad or silent or _fails(facts):
        return True
    still = still_for(memory)
    ollama = facts.terms.engine is EngineKind.OLLAMA
    return still is not None and still >= (
        facts.terms.hang_frozen / 3 if ollama else facts.terms.suspect_frozen
    )


def _fails(facts: Facts) -> bool:
    """A user has just got an error, and no generation has told since whether all do.

    Inside alone: outside the ready program answers the monitor with 503, and the connector counts that too.
    """
    at, last = facts.memory.failed_at, facts.generation
    recent = at is not None and facts.now - at < IDLE and (last is None or last.begun <= at)
    return recent and facts.saved.phase in (Phase.JOINING, Phase.SERVING)


def _moves_since(facts: Facts, begun: float) -> bool:
    """Known to move: a question that queues behind live requests is no suspicion."""
    return facts.memory.moved_at is not None and moved_since(facts.memory, begun)
