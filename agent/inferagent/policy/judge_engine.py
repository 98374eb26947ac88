"""What is wrong with the engine, from its unit, its port, its models, its movement and its generations."""

from inferagent.model.change import changed
from inferagent.model.desired import EngineKind
from inferagent.model.engine import Generation, Outcome
from inferagent.model.health import Cause, CauseKind, Component, Finding, Health, Repair
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, Value
from inferagent.model.saved import Memory
from inferagent.model.unit import Unit, UnitState
from inferagent.policy.debounce import absent, by_hand, fall
from inferagent.policy.evidence import moved_since, still_for
from inferagent.policy.facts import Facts, Judgement
from inferagent.policy.flight import in_flight, work
from inferagent.policy.judge_port import judge_port


def judge_engine(facts: Facts) -> tuple[Memory, Judgement]:
    """Causes of the engine, each by its own rule, and findings that no cause says."""
    unit = facts.unit
    findings = _unknowns(facts)
    memory, taken = judge_port(facts)
    if unit is not None and not unit.alive:
        gone = _gone(facts, unit)
        return memory, Judgement((taken, gone) if taken else (gone,), findings)
    if taken is not None:  # whatever else is wrong follows from that
        return memory, Judgement((taken,), findings)
    memory, refused = _refuses(facts, facts.memory)
    memory, missing = _missing_model(facts, memory)
    memory, degraded = _degraded(facts, memory)
    lacking = bool(missing) or _lacks_model(facts)  # the second list, which makes it a cause, may come late
    wrong = None if lacking else _wrong(facts)
    if lacking and memory.generation_bad:  # a consequence, which no restart would cure
        memory = changed(memory, generation_bad=0)
    candidates = [refused, missing, _unproven(facts), _stuck_warming(facts), _hung(facts), wrong]
    causes = [cause for cause in [*candidates, _stuck_load(facts), _silent(facts), degraded] if cause]
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


def _gone(facts: Facts, unit: Unit) -> Cause:
    """A process that exited counts at once; who starts it again depends on who was to."""
    if unit.state is UnitState.MISSING:
        text, cure = absent("engine", unit, facts.terms.engine.value, facts.terms.engine_unit)
        return _certain("engine-missing", text, Repair.NONE, cure)
    if unit.state is UnitState.MASKED:
        cure = by_hand("unmask", facts.terms.engine_unit)
        return _certain("engine-masked", "the engine's unit is masked", Repair.NONE, cure)
    if unit.stopped_by_person:
        cure = by_hand("start", facts.terms.engine_unit)
        return _certain("engine-stopped-by-person", "the engine was stopped by a person", Repair.NONE, cure)
    if facts.saved.stopped_engine:
        text = "the engine is stopped, as asked"
        return Cause(CauseKind.SOFT, "engine-stopped", text, 0.0, Repair.START_ENGINE)
    how = f" ({unit.exit})" if unit.exit else ""
    if unit.state is UnitState.STOPPING:
        return _certain("engine-gone", f"the engine is being stopped{how}", Repair.NONE)
    if unit.state in (UnitState.RESTARTING, UnitState.STARTING):
        return _certain("engine-gone", f"the engine's process is gone{how}, being started again", Repair.NONE)
    text = f"the engine's process is gone{how}" if unit.exit else "the engine is not started"
    return _certain("engine-gone", text, Repair.START_ENGINE)


def _refuses(facts: Facts, memory: Memory) -> tuple[Memory, Cause | None]:
    accepts = facts.observed.engine.accepts
    refused = None if not isinstance(accepts, Value) else not accepts.value
    memory, fallen = fall(memory, "engine-refuses", refused, accepts.at, facts.terms.falls)
    if not fallen or not _accepted(facts):
        return memory, None
    text = "the engine's process lives, but its port refuses connections"
    if facts.unit is not None and facts.unit.state is UnitState.STOPPING:
        text = "the engine is being stopped, and its port refuses connections"
    return memory, _certain("engine-refuses", text, Repair.RESTART_ENGINE)


def _accepted(facts: Facts) -> bool:
    """This life of the engine has accepted once: seen, or the phase rests on it."""
    saved = facts.saved
    rests = (
        saved.phase is not Phase.OUT and bool(facts.incarnation) and saved.incarnation == facts.incarnation
    )
    return rests or facts.memory.accepted


def _missing_model(facts: Facts, memory: Memory) -> tuple[Memory, Cause | None]:
    models = facts.observed.engine.models
    wanted = facts.terms.engine_names
    missing = [name for name in wanted if name not in models.value] if isinstance(models, Value) else None
    bad = None if missing is None else bool(missing)
    memory, fallen = fall(memory, "model-missing", bad, models.at, facts.terms.falls)
    if not fallen:
        return memory, None
    what = ", ".join(missing or wanted)  # a list that cannot be read now takes nothing back
    if facts.terms.engine is EngineKind.OLLAMA:
        cure = f"ollama pull {(missing or wanted)[0]}"
        return memory, _certain("model-missing", f"the engine has no model {what}", Repair.NONE, cure)
    cure = f"vllm serve … --served-model-name {what}"
    return memory, _certain("model-missing", f"the engine does not serve {what}", Repair.NONE, cure)


def _unproven(facts: Facts) -> Cause | None:
    """In the pool, or leaving it, with an engine life that the phase does not rest on."""
    saved, phase = facts.saved, facts.saved.phase
    if phase is Phase.OUT or not facts.incarnation or facts.incarnation == saved.incarnation:
        return None
    if phase is Phase.DRAINING and facts.memory.generation_ok_at is not None:
        return None
    return _certain("engine-restarted", "the engine was started anew and has not generated yet", Repair.NONE)


def _stuck_warming(facts: Facts) -> Cause | None:
    """A start, or the load of a model that a generation waits for, without disk, memory or CPU moving."""
    memory, looked, moved = facts.memory, facts.memory.warm_looked_at, facts.memory.warm_moved_at
    if looked is None or moved is None or memory.generation_ok_at is not None:
        return None
    if _accepted(facts):
        if memory.asked_since is None:
            return None
        moved = max(moved, memory.asked_since, memory.moved_at or moved)
    still = looked - moved
    if still < facts.terms.warming_without_progress:
        return None
    return _inferred("warming-stuck", f"the engine has made no progress in starting for {still:.0f} s")


def _hung(facts: Facts) -> Cause | None:
    """Two witnesses: a generation unanswered past its deadline, and nothing moving for long enough."""
    memory, terms, last = facts.memory, facts.terms, facts.generation
    still = still_for(memory)
    if last is None or last.outcome is not Outcome.UNANSWERED or still is None:
        return None
    if not isinstance(facts.observed.engine.progress, Value) or moved_since(memory, last.begun):
        return None
    if not _looked_past_deadline(memory, last):
        return None
    busy = facts.terms.engine is EngineKind.VLLM and bool(work(facts.observed))
    if still < (terms.hang_frozen_traffic if busy else terms.hang_frozen):
        return None
    text = f"the engine hangs: nothing has moved for {still:.0f} s, no answer either"
    return _inferred("engine-hung", text)


def _looked_past_deadline(memory: Memory, last: Generation) -> bool:
    """Both witnesses speak of the same time: a look came after the first unanswered question was given up."""
    if memory.looked_at is None or memory.asked_since is None:
        return False
    return memory.looked_at >= memory.asked_since + (last.ended - last.begun)


def _wrong(facts: Facts) -> Cause | None:
    if facts.memory.generation_bad < facts.terms.falls:
        return None
    detail = facts.generation.detail if facts.generation else ""
    return _inferred("generation-failed", f"the engine answers wrongly: {detail}".rstrip(": "))


def _stuck_load(facts: Facts) -> Cause | None:
    """Requests in the engine and no movement at all, for so long that no probe is needed."""
    looked, moved, since = facts.memory.looked_at, facts.memory.moved_at, facts.memory.load_since
    if looked is None or moved is None or since is None:
        return None
    stuck = looked - max(moved, since)
    if stuck < facts.terms.stuck_load:
        return None
    return _inferred("load-stuck", f"requests have been in the engine for {stuck:.0f} s and nothing moves")


def _silent(facts: Facts) -> Cause | None:
    """Out, so that nobody else is in the way, and for so long no question answered although nothing moves
    or nothing can tell: the second witness is the time."""
    memory, last = facts.memory, facts.generation
    asked, moved = memory.asked_since, memory.moved_at
    unanswered = last is not None and last.outcome is Outcome.UNANSWERED
    if facts.saved.phase is not Phase.OUT or asked is None or last is None or not unanswered:
        return None
    if in_flight(facts.observed).total:
        return None  # others are before it
    moves = isinstance(facts.observed.engine.progress, Value) and moved is not None and moved > asked + 1.0
    if moves or last.begun - asked < facts.terms.stuck_load:
        return None
    return _inferred(
        "generation-failed", f"the engine has answered no question for {last.begun - asked:.0f} s"
    )


def _lacks_model(facts: Facts) -> bool:
    models = facts.observed.engine.models
    return isinstance(models, Value) and any(name not in models.value for name in facts.terms.engine_names)


def _degraded(facts: Facts, memory: Memory) -> tuple[Memory, Cause | None]:
    text, accepts = facts.observed.engine.degraded, facts.observed.engine.accepts
    known_now = bool(text) if isinstance(accepts, Value) else None
    memory, fallen = fall(memory, "engine-degraded", known_now, accepts.at, facts.terms.falls)
    text = text or "the engine was degraded when last read"
    return memory, Cause(CauseKind.SOFT, "engine-degraded", text, 0.0) if fallen else None
