"""All judges in a row: readings in, causes (worst first) and findings out."""

from inferagent.model.change import changed
from inferagent.model.desired import Desired
from inferagent.model.health import Cause, CauseKind, Finding, Health
from inferagent.model.observed import Observed
from inferagent.model.saved import Memory, Saved
from inferagent.policy.debounce import dated
from inferagent.policy.evidence import gather
from inferagent.policy.facts import Facts
from inferagent.policy.judge_checks import judge_checks
from inferagent.policy.judge_connector import judge_connector
from inferagent.policy.judge_engine import judge_engine
from inferagent.policy.judge_gpu import judge_gpu, remember_faults
from inferagent.policy.judge_host import judge_host


def judge(observed: Observed, desired: Desired, saved: Saved) -> Facts:
    """Fold the evidence, then let each component be judged by its own rules."""
    saved = remember_faults(observed, saved)
    facts = Facts(observed, desired, _remembering(saved, gather(observed, saved.memory)))
    memory, engine = judge_engine(facts)
    facts = facts.keeping(_remembering(facts.saved, memory))
    memory, connector = judge_connector(facts)
    facts = facts.keeping(_remembering(facts.saved, memory))
    memory, checks = judge_checks(facts)
    judgements = (engine, connector, judge_gpu(facts), judge_host(facts), checks)
    causes = [cause for judgement in judgements for cause in judgement.causes]
    findings = [finding for judgement in judgements for finding in judgement.findings]
    findings = [*(_as_finding(cause) for cause in causes), *findings]
    memory, dated_causes, dated_findings = dated(memory, observed.now, causes, findings)
    saved = _remembering(facts.saved, memory)
    return changed(facts, saved=saved, causes=dated_causes, findings=dated_findings)


def _remembering(saved: Saved, memory: Memory) -> Saved:
    return saved if memory is saved.memory else changed(saved, memory=memory)


def _as_finding(cause: Cause) -> Finding:
    """Every cause is also a finding, so that `status` can show it before the host leaves."""
    ill = cause.kind in (CauseKind.CERTAIN, CauseKind.INFERRED)
    health = Health.UNHEALTHY if ill else Health.DEGRADED
    if cause.kind is CauseKind.OPERATOR:
        health = Health.HEALTHY
    return Finding(cause.code, cause.component, health, cause.text, cause.since, cause.cure)
