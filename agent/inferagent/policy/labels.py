"""What a host does while out: the first label that fits, computed anew each tick; none can be a dead end."""

from inferagent.model.health import Cause, CauseKind, Component, Repair
from inferagent.model.phase import Label, Phase
from inferagent.policy import budget
from inferagent.policy.facts import Facts
from inferagent.policy.phases import standing
from inferagent.policy.proofs import join_unproven

BY_PERSON = ("engine-stopped-by-person", "connector-stopped-by-person")


def label(facts: Facts) -> Label | None:
    """None unless the phase is out."""
    if facts.saved.phase is not Phase.OUT:
        return None
    for candidate, fits in (
        (Label.UNCONFIGURED, not facts.desired.configured),
        (Label.INSTALLING, bool(facts.desired.installing)),
        (Label.HELD, _held(facts)),
        (Label.WAITING, _waiting(facts)),
        (Label.RECONNECTING, _reconnecting(facts)),
    ):
        if fits:
            return candidate
    return _engine_label(facts)


def _held(facts: Facts) -> bool:
    person = any(cause.code in BY_PERSON for cause in facts.causes)
    return facts.desired.hold is not None or facts.saved.other_hand or person


def _waiting(facts: Facts) -> bool:
    going = facts.desired.going_until is not None
    unit = facts.unit
    restarting = unit is not None and not unit.alive and unit.state in ("restarting", "starting", "stopping")
    return going or bool(facts.saved.faults) or restarting


def _reconnecting(facts: Facts) -> bool:
    return any(cause.component is Component.CONNECTOR for cause in facts.causes)


def _engine_label(facts: Facts) -> Label:
    ill = facts.ill
    if ill is not None and ill.code != "engine-restarted":  # a new life is warming, it needs nobody
        return Label.NEEDS_OPERATOR if _beyond_us(facts, ill) else Label.RECOVERING
    warming = (
        facts.memory.generation_ok_at is None or facts.memory.generation_ok_at <= facts.saved.proof_floor
    )
    if any(cause.kind is CauseKind.SOFT for cause in standing(facts) if cause.code != "engine-stopped"):
        return Label.PARKED
    return Label.WARMING if warming and join_unproven(facts) else Label.READY


def _beyond_us(facts: Facts, ill: Cause) -> bool:
    return ill.repair is Repair.NONE or budget.restarts_spent(facts)
