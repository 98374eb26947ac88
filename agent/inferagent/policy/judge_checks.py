"""The user's own checks: told, or a cause as their effect says; one that cannot tell changes nothing (S1)."""

from inferagent.model.check import Check, CheckView, Effect
from inferagent.model.health import Cause, CauseKind, Component, Finding, Health, Repair
from inferagent.model.phase import Phase
from inferagent.model.reading import NEVER, Failed
from inferagent.model.saved import Memory
from inferagent.policy.debounce import fall, lasting
from inferagent.policy.facts import Facts, Judgement

NOT_YET = CheckView()
INSIDE = (Phase.JOINING, Phase.SERVING)


def judge_checks(facts: Facts) -> tuple[Memory, Judgement]:
    memory = facts.memory
    if not facts.terms.checks:
        return memory, Judgement()
    views = dict(facts.observed.checks)
    causes: list[Cause] = []
    findings: list[Finding] = []
    for check in facts.terms.checks:
        view = views.get(check.name, NOT_YET)
        memory, health = _health(facts, memory, check, view)
        if health is not Health.HEALTHY:
            cause = _cause(facts, check, health)
            text, cure = _told(check, view, health)
            if cause is None:
                findings.append(Finding(check.code, Component.CHECK, health, text, 0.0, cure))
            else:
                causes.append(Cause(cause, check.code, text, 0.0, Repair.NONE, Component.CHECK, cure))
        if isinstance(view.reading, Failed) and view.reading.at > NEVER.at:
            code, text = f"check-unknown:{check.name}", view.reading.reason
            findings.append(Finding(code, Component.CHECK, Health.UNKNOWN, text, 0.0, f"see {check.command}"))
    return memory, Judgement(tuple(causes), tuple(findings))


def not_looked_at(facts: Facts) -> str:
    """ "" or which check with the effect drain has never been run: a missing reading admits nobody."""
    views = dict(facts.observed.checks)
    drains = (check.name for check in facts.terms.checks if check.effect is Effect.DRAIN)
    unread = next((name for name in drains if views.get(name, NOT_YET).reading.at == NEVER.at), "")
    return f"the check {unread} has not been run yet" if unread else ""


def _health(facts: Facts, memory: Memory, check: Check, view: CheckView) -> tuple[Memory, Health]:
    """By its last word, however old. Inside it has to fall as often as every probe; out, once is enough to
    stay there, and once healthy to come back. What stands ends by a better word alone, whatever the phase."""
    last = view.last
    said = last.value.health if last else _left_for(facts, check)
    at = last.at if last else NEVER.at
    memory, ill = _stands(facts, memory, check.code, said is not Health.HEALTHY, at)
    memory, very = _stands(facts, memory, f"{check.code}:unhealthy", said is Health.UNHEALTHY, at)
    return memory, Health.UNHEALTHY if very else Health.DEGRADED if ill else Health.HEALTHY


def _stands(facts: Facts, memory: Memory, code: str, bad: bool, at: float) -> tuple[Memory, bool]:
    """A word of no time is what an earlier life left for: it stands at once."""
    falls = facts.terms.falls
    left = bad and at == NEVER.at
    memory, stands = fall(memory, code, bad, at, falls if facts.saved.phase in INSIDE else 1)
    return (lasting(memory, code, falls), True) if left or stands else (memory, False)


def _left_for(facts: Facts, check: Check) -> Health:
    """What an earlier life of the agent left for stands until the check says otherwise."""
    cause = facts.saved.cause
    if cause is None or cause.code != check.code:
        return Health.HEALTHY
    return Health.UNHEALTHY if cause.kind is CauseKind.CERTAIN else Health.DEGRADED


def _cause(facts: Facts, check: Check, health: Health) -> CauseKind | None:
    """None: nothing but a finding. A replica does not leave for soft causes."""
    if check.effect is Effect.DRAIN and health is Health.UNHEALTHY:
        return CauseKind.CERTAIN
    soft = check.effect is not Effect.TELL and not facts.replica
    return CauseKind.SOFT if soft else None


def _told(check: Check, view: CheckView, health: Health) -> tuple[str, str]:
    """Text and cure."""
    last = view.last
    said = last.value.text if last else ""
    cure = last.value.cure if last else ""
    text = f"check {check.name}: {said or f'says {health.value}'}"
    if isinstance(view.reading, Failed):
        text += " (unknown since)"
    return text, cure or f"see {check.command}"
