"""Causes that come from people and from the host: a hold, another hand, idling, and a host about to go."""

from inferagent.model.health import Cause, CauseKind, Component, Finding, Health, Repair
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed
from inferagent.policy.facts import Facts, Judgement
from inferagent.policy.lending import judge_lending
from inferagent.policy.until import clock_time

LOOK = "inferagent doctor"
CALLED_OFF = "inferagent resume, if the shutdown was called off"


def judge_host(facts: Facts) -> Judgement:
    """The operator, another hand, park, going; and what the agent cannot do for itself."""
    used, unseen = judge_lending(facts)
    told = (_held(facts), used, _other_hand(facts), _parked(facts), _going(facts))
    findings = [*_findings(facts), *([unseen] if unseen else [])]
    return Judgement(tuple(cause for cause in told if cause), tuple(findings))


def _held(facts: Facts) -> Cause | None:
    hold = facts.desired.hold
    if hold is None:
        return None
    text = "lent" if hold.lend else "held by the operator"
    text += f" until {clock_time(hold.until.wall, hold.wall)}" if hold.until else ""
    text += f": {hold.reason}" if hold.reason else ""
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
    return _cause(CauseKind.CERTAIN, "host-going", "the host is about to go", CALLED_OFF)


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
    told = (_enabled_by_another(facts), _still_arriving(facts), _not_effective(facts))
    found += [finding for finding in told if finding]
    troubles = facts.observed.troubles
    found += [Finding(code, Component.AGENT, Health.DEGRADED, text, 0.0) for code, text in troubles]
    membership = facts.observed.membership
    if isinstance(membership, Failed) and membership.at > float("-inf"):
        text = f"membership: {membership.reason}"
        found.append(Finding("membership-unknown", Component.MEMBERSHIP, Health.UNKNOWN, text, 0.0, LOOK))
    return found


def _enabled_by_another(facts: Facts) -> Finding | None:
    """Another hand that enables a host that is out makes no hold (S16)."""
    saved, own, write = facts.saved, facts.own, facts.saved.last_write
    out = saved.phase is Phase.OUT and saved.baseline is False and (write is None or write.confirmed)
    if not out or own is None or not own.enabled or (write is not None and facts.read_at <= write.at):
        return None
    text = "another hand enabled this host in the pool while it is out"
    return Finding("enabled-by-another", Component.MEMBERSHIP, Health.DEGRADED, text, 0.0)


def _not_effective(facts: Facts) -> Finding | None:
    """In, and yet no user is sent here: the monitor does not say healthy, or has never looked."""
    own, saved = facts.own, facts.saved
    joining = saved.phase is Phase.JOINING and facts.now - saved.since > facts.terms.monitor_bound
    if own is None or own.effective or not own.enabled or facts.read_at <= saved.since:
        return None
    if saved.phase is not Phase.SERVING and not joining:
        return None
    said = "has not looked yet" if own.healthy is None else "says unhealthy"
    text = f"the pool sends no users here: its monitor {said}"
    return Finding("not-effective", Component.MEMBERSHIP, Health.DEGRADED, text, 0.0)


def _still_arriving(facts: Facts) -> Finding | None:
    """Requests come although out was proven and has settled."""
    drain, arrived = facts.saved.drain, facts.memory.arrived_at
    if drain is None or drain.proven_at is None or arrived is None or arrived == facts.memory.counted_since:
        return None
    if not drain.proven_at + facts.terms.settle < arrived or facts.now - arrived > facts.terms.settle:
        return None
    text = "requests still arrive although the host is out of the pool"
    return Finding("still-arriving", Component.CONNECTOR, Health.DEGRADED, text, 0.0)
