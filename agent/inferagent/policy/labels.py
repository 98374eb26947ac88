"""What a host does while out: the first label that fits, computed anew each tick; none can be a dead end."""

from inferagent.model.health import Cause, CauseKind, Component, Repair
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import Failed
from inferagent.policy import budget
from inferagent.policy.facts import Facts
from inferagent.policy.faults import of_engine
from inferagent.policy.judge_port import taken
from inferagent.policy.lending import CODE as IN_USE
from inferagent.policy.phases import standing
from inferagent.policy.proofs import join_unproven

LONG = 300.0  # seconds after which waiting, or not seeing, is no passing matter
DARK = ("engine-unit-unknown", "engine-look-unknown", "connector-unknown")
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
    gone = next((cause.since for cause in facts.causes if cause.code == "engine-gone"), facts.now)
    restarting = restarting and facts.now - gone < LONG and not budget.restarts_spent(facts)
    restarting = restarting and not taken(facts)  # which cures nothing
    lent = any(cause.code == IN_USE for cause in facts.causes)
    return going or bool(of_engine(facts.saved, facts.terms.gpus)) or lent or restarting


def _reconnecting(facts: Facts) -> bool:
    causes = [cause for cause in facts.causes if cause.component is Component.CONNECTOR]
    return bool(causes) and all(cause.repair is Repair.RESTART_CONNECTOR for cause in causes)


def _engine_label(facts: Facts) -> Label:
    ill = facts.ill
    if ill is not None and ill.code != "engine-restarted":  # a new life is warming, it needs nobody
        return Label.NEEDS_OPERATOR if _beyond_us(facts, ill) else Label.RECOVERING
    warming = (
        facts.memory.generation_ok_at is None or facts.memory.generation_ok_at <= facts.saved.proof_floor
    )
    if any(cause.kind is CauseKind.SOFT for cause in standing(facts) if cause.code != "engine-stopped"):
        return Label.PARKED
    if dark(facts) or (facts.memory.generation_ok_at is None and keeps_dying(facts)):
        return Label.NEEDS_OPERATOR
    return Label.WARMING if warming and join_unproven(facts) else Label.READY


def dark(facts: Facts) -> str:
    """ "" or what a join must know and nobody has been able to read for so long that a person is needed."""
    unread = (one for one in facts.findings if one.code in DARK and facts.now - one.since >= LONG)
    return next((one.text for one in unread), "")


def keeps_dying(facts: Facts) -> bool:
    """Its supervisor starts it more often than we ever would."""
    return len(budget.restarts(facts)) > facts.terms.restarts_per_hour


def _beyond_us(facts: Facts, ill: Cause) -> bool:
    trying = facts.observed.job("engine").running
    spent = budget.restarts_spent(facts) and not trying
    return ill.repair is Repair.NONE or spent or bool(unsaved(facts))


def unsaved(facts: Facts) -> str:
    """ "" or why an engine that still runs may not be restarted until somebody makes room (S12)."""
    save = facts.observed.save
    failed = isinstance(save, Failed) and save.at > float("-inf") and not facts.engine_dead
    return "the state cannot be saved" if failed else ""
