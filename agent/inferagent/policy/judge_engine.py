"""What is wrong with the engine, from its unit, its port, its models, its movement and its generations."""

from dataclasses import replace

from inferagent.model.desired import EngineKind
from inferagent.model.engine import Outcome
from inferagent.model.health import Cause, CauseKind, Component, Finding, Health, Repair
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, Value, known
from inferagent.model.saved import Memory
from inferagent.model.unit import Unit, UnitState
from inferagent.policy.debounce import fall
from inferagent.policy.evidence import frozen_for
from inferagent.policy.facts import Facts, Judgement

# Accepting a probe moves vLLM's own counters; movement this long after its begin is the probe's own.
OWN_MOVEMENT = 1.0


def judge_engine(facts: Facts) -> tuple[Memory, Judgement]:
    """Causes of the engine, each by its own rule, and findings that no cause says."""
    unit = facts.unit
    findings = _unknowns(facts)
    if unit is not None and not unit.alive:
        return facts.memory, Judgement((_gone(unit),), findings)
    memory, causes = facts.memory, []
    memory, refused = _refuses(facts, memory)
    memory, missing = _missing_model(facts, memory)
    candidates = [refused, missing, _unproven(facts), _stuck_warming(facts), _hung(facts), _wrong(facts)]
    causes = [cause for cause in [*candidates, _stuck_load(facts), _degraded(facts)] if cause]
    return memory, Judgement(tuple(causes), findings)


def _unknowns(facts: Facts) -> tuple[Finding, ...]:
    found = []
    for code, reading in (
        ("engine-unit-unknown", facts.observed.engine_unit),
        ("engine-look-unknown", facts.observed.engine.accepts),
    ):
        if isinstance(reading, Failed):
            found.append(Finding(code, Component.ENGINE, Health.UNKNOWN, f"engine: {reading.reason}", 0.0))
    return tuple(found)


def _certain(code: str, text: str, repair: Repair, cure: str = "") -> Cause:
    return Cause(CauseKind.CERTAIN, code, text, 0.0, repair, Component.ENGINE, cure)


def _inferred(code: str, text: str) -> Cause:
    return Cause(CauseKind.INFERRED, code, text, 0.0, Repair.RESTART_ENGINE, Component.ENGINE)


def _gone(unit: Unit) -> Cause:
    """A process that exited counts at once; who starts it again depends on who was to."""
    if unit.state is UnitState.MISSING:
        return _certain(
            "engine-missing", "the engine's unit does not exist", Repair.NONE, "sudo inferagent setup"
        )
    if unit.state is UnitState.MASKED:
        return _certain("engine-masked", "the engine's unit is masked", Repair.NONE, "sudo systemctl unmask")
    if unit.stopped_by_person:
        return _certain("engine-stopped-by-person", "the engine was stopped by a person", Repair.NONE)
    how = f" ({unit.exit})" if unit.exit else ""
    if unit.state in (UnitState.RESTARTING, UnitState.STARTING):
        return _certain("engine-gone", f"the engine's process is gone{how}, being started again", Repair.NONE)
    text = f"the engine's process is gone{how}" if unit.exit else "the engine is not started"
    return _certain("engine-gone", text, Repair.START_ENGINE)


def _refuses(facts: Facts, memory: Memory) -> tuple[Memory, Cause | None]:
    accepts = facts.observed.engine.accepts
    refused = None if not isinstance(accepts, Value) else not accepts.value
    memory, fallen = fall(memory, "engine-refuses", refused, accepts.at, facts.terms.falls)
    if not fallen or not memory.accepted:
        return memory, None
    text = "the engine's process lives, but its port refuses connections"
    return memory, _certain("engine-refuses", text, Repair.RESTART_ENGINE)


def _missing_model(facts: Facts, memory: Memory) -> tuple[Memory, Cause | None]:
    models = facts.observed.engine.models
    wanted = facts.terms.engine_names
    missing = [name for name in wanted if name not in models.value] if isinstance(models, Value) else None
    bad = None if missing is None else bool(missing)
    memory, fallen = fall(memory, "model-missing", bad, models.at, facts.terms.falls)
    if not fallen or not missing:
        return memory, None
    names = ", ".join(missing)
    if facts.terms.engine is EngineKind.OLLAMA:
        cause = _certain(
            "model-missing", f"the engine has no model {names}", Repair.NONE, f"ollama pull {missing[0]}"
        )
    else:
        cause = _certain("model-missing", f"the engine does not serve {names}", Repair.RESTART_ENGINE)
    return memory, cause


def _unproven(facts: Facts) -> Cause | None:
    """In the pool, or leaving it, with an engine life that the phase does not rest on."""
    saved, phase = facts.saved, facts.saved.phase
    if phase is Phase.OUT or not facts.incarnation or facts.incarnation == saved.incarnation:
        return None
    if phase is Phase.DRAINING and facts.memory.generation_ok_at is not None:
        return None
    return _certain("engine-restarted", "the engine was started anew and has not generated yet", Repair.NONE)


def _stuck_warming(facts: Facts) -> Cause | None:
    moved = facts.memory.warm_moved_at
    if facts.memory.accepted or facts.unit is None or moved is None:
        return None
    still = facts.now - moved
    if still < facts.terms.warming_without_progress:
        return None
    text = f"the engine has made no progress in starting for {still:.0f} s"
    return _certain("warming-stuck", text, Repair.RESTART_ENGINE)


def _hung(facts: Facts) -> Cause | None:
    """Two witnesses: a generation unanswered past its deadline, and nothing moving for long enough."""
    memory, terms, last = facts.memory, facts.terms, facts.generation
    frozen = frozen_for(memory)
    if last is None or last.outcome is not Outcome.UNANSWERED or frozen is None:
        return None
    if memory.moved_at is None or memory.moved_at > last.begun + OWN_MOVEMENT:
        return None
    load = known(facts.observed.engine.load)
    busy = load is not None and load.running + load.waiting > 0
    needed = terms.hang_frozen_traffic if busy else terms.hang_frozen
    if frozen < needed:
        return None
    return _inferred(
        "engine-hung", f"the engine hangs: nothing has moved for {frozen:.0f} s, no answer either"
    )


def _wrong(facts: Facts) -> Cause | None:
    if facts.memory.generation_bad < facts.terms.falls:
        return None
    detail = facts.generation.detail if facts.generation else ""
    return _inferred("generation-failed", f"the engine answers wrongly: {detail}".rstrip(": "))


def _stuck_load(facts: Facts) -> Cause | None:
    """Requests in the engine and no movement at all, for so long that no probe is needed."""
    frozen, since = frozen_for(facts.memory), facts.memory.load_since
    if frozen is None or since is None:
        return None
    stuck = min(frozen, facts.now - since)
    if stuck < facts.terms.stuck_load:
        return None
    return _inferred("load-stuck", f"requests have been in the engine for {stuck:.0f} s and nothing moves")


def _degraded(facts: Facts) -> Cause | None:
    text = facts.observed.engine.degraded
    if not text:
        return None
    return replace(_inferred("engine-degraded", text), kind=CauseKind.SOFT, repair=Repair.NONE)
