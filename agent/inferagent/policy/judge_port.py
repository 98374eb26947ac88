"""Whose the engine's port is: while a foreign program has it, nothing that answers there is the engine's."""

from inferagent.model.change import changed
from inferagent.model.engine import Occupant
from inferagent.model.health import Cause, CauseKind, Component, Repair
from inferagent.model.reading import Value, known
from inferagent.model.saved import Memory
from inferagent.model.unit import UnitState
from inferagent.policy.facts import Facts

CODE = "port-taken"
OFTEN, SELDOM = 1.0, 10.0  # seconds between two looks at who owns the port
YOUNG = 120.0  # seconds of one state of the engine's unit in which it is looked at often
ABSENT = (UnitState.MISSING, UnitState.MASKED)


def judge_port(facts: Facts) -> tuple[Memory, Cause | None]:
    """The cause, and a memory that has learnt nothing from whoever else answered."""
    found = _occupant(facts)
    if found is None or not _needs_port(facts):
        return facts.memory, None
    who = ", ".join(word for word in (f"uid {found.uid}", found.name) if word)
    text = f"port {found.port} belongs to another program ({who})"
    cure = f"sudo ss -ltnp 'sport = :{found.port}'"
    cause = Cause(CauseKind.CERTAIN, CODE, text, 0.0, Repair.NONE, Component.ENGINE, cure)
    return _unlearnt(facts), cause


def _occupant(facts: Facts) -> Occupant | None:
    """A port that has refused since is nobody's."""
    reading, accepts = facts.observed.occupant, facts.observed.engine.accepts
    freed = isinstance(accepts, Value) and not accepts.value and accepts.at >= reading.at
    return None if freed else known(reading)


def _needs_port(facts: Facts) -> bool:
    """The engine runs, or is to run."""
    unit = facts.unit
    if unit is None:
        return False
    stopped = unit.stopped_by_person or facts.saved.stopped_engine or unit.state in ABSENT
    return unit.alive or not stopped


def _unlearnt(facts: Facts) -> Memory:
    """Neither its wrong answers nor its good ones, nor that it took connections."""
    return changed(
        facts.memory,
        accepted=False,
        generation_ok_at=None,
        generation_bad=0,
        asked_since=None,
        falls=tuple(
            fall for fall in facts.memory.falls if fall[0] not in ("model-missing", "engine-refuses")
        ),
        port_taken_at=facts.now,
    )


def taken(facts: Facts) -> bool:
    return any(cause.code == CODE for cause in facts.causes)


def port_pace(facts: Facts) -> float | None:
    """Seconds between two looks; None where there is no reason: the engine is proven, or the port refuses."""
    unit, accepts, memory = facts.unit, facts.observed.engine.accepts, facts.memory
    if unit is None or not _needs_port(facts) or (isinstance(accepts, Value) and not accepts.value):
        return None
    proven = memory.generation_ok_at is not None and not memory.generation_bad
    if unit.alive and proven and not any(code == "model-missing" for code, *_ in memory.falls):
        return None
    often = taken(facts) or memory.generation_bad or facts.now - unit.since < YOUNG
    return OFTEN if often else SELDOM
