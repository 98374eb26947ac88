"""Causes that come from people and from the host: a hold, another hand, idling, and a host about to go."""

from inferagent.model.health import Cause, CauseKind, Component, Finding, Health, Repair
from inferagent.model.reading import Failed
from inferagent.policy.facts import Facts, Judgement


def judge_host(facts: Facts) -> Judgement:
    """The operator, another hand, park, going; and what the agent cannot do for itself."""
    causes = [cause for cause in (_held(facts), _other_hand(facts), _parked(facts), _going(facts)) if cause]
    return Judgement(tuple(causes), tuple(_findings(facts)))


def _held(facts: Facts) -> Cause | None:
    hold = facts.desired.hold
    if hold is None:
        return None
    text = f"held by the operator: {hold.reason}" if hold.reason else "held by the operator"
    return _cause(CauseKind.OPERATOR, "hold", text, "inferagent resume")


def _other_hand(facts: Facts) -> Cause | None:
    if not facts.saved.other_hand:
        return None
    text = "held: another hand disabled this host in the pool"
    return _cause(CauseKind.OPERATOR, "other-hand", text, "inferagent resume")


def _parked(facts: Facts) -> Cause | None:
    if not facts.desired.parked or facts.replica:
        return None
    return _cause(CauseKind.SOFT, "parked", f"parked: {facts.desired.parked}", "")


def _going(facts: Facts) -> Cause | None:
    until = facts.desired.going_until
    if until is None:
        return None
    return _cause(CauseKind.CERTAIN, "host-going", "the host is about to go", "")


def _cause(kind: CauseKind, code: str, text: str, cure: str) -> Cause:
    return Cause(kind, code, text, 0.0, Repair.NONE, Component.HOST, cure)


def _findings(facts: Facts) -> list[Finding]:
    found = []
    if isinstance(facts.observed.save, Failed) and facts.observed.save.at > float("-inf"):
        text = facts.observed.save.reason
        found.append(Finding("state-not-saved", Component.AGENT, Health.DEGRADED, text, 0.0, "df -h"))
    hold = facts.desired.hold
    if hold is not None and not hold.durable:
        text = "the hold could not be written: it ends with this boot"
        found.append(Finding("hold-not-durable", Component.AGENT, Health.DEGRADED, text, 0.0, "df -h"))
    membership = facts.observed.membership
    if isinstance(membership, Failed) and membership.at > float("-inf"):
        text = f"membership: {membership.reason}"
        found.append(Finding("membership-unknown", Component.MEMBERSHIP, Health.UNKNOWN, text, 0.0))
    return found
