"""What is wrong with the connector: its process, its edge connections, and the ingress that it uses."""

from inferagent.model.change import changed
from inferagent.model.health import Cause, CauseKind, Component, Finding, Health, Repair
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, Value, known
from inferagent.model.saved import Memory
from inferagent.model.tunnel import Ingress, IngressRule
from inferagent.model.unit import UnitState
from inferagent.policy.debounce import absent, by_hand, fall
from inferagent.policy.facts import Facts, Judgement


def judge_connector(facts: Facts) -> tuple[Memory, Judgement]:
    """Causes and findings of the connector; a replica's connector is meant to be down while out."""
    if facts.replica and facts.saved.phase in (Phase.OUT, Phase.DRAINING):
        # so that the time without a connection begins with the join
        return changed(facts.memory, edge_looked_at=None), Judgement((), _two_agents(facts))
    gone = _gone(facts)
    # what answers for a process that is gone is somebody else's connector, with rules of its own
    theirs = gone is not None and _other_tunnel(facts)
    memory, wrong = (facts.memory, None) if theirs else _ingress(facts, facts.memory)
    memory, refused = _host_refused(facts, memory)
    causes = [cause for cause in (gone, _no_edge(facts), wrong or refused) if cause]
    findings = [*_unknowns(facts), *_two_agents(facts)]
    return memory, Judgement(tuple(causes), tuple(findings))


def _certain(code: str, text: str, repair: Repair, cure: str = "") -> Cause:
    return Cause(CauseKind.CERTAIN, code, text, 0.0, repair, Component.CONNECTOR, cure)


def _gone(facts: Facts) -> Cause | None:
    unit = known(facts.observed.connector_unit)
    if unit is None or unit.alive:
        return None
    if unit.stopped_by_person:
        text, cure = "the connector was stopped by a person", by_hand("start", facts.terms.connector_unit)
        return _certain("connector-stopped-by-person", text, Repair.NONE, cure)
    if unit.state is UnitState.MASKED:
        cure = by_hand("unmask", facts.terms.connector_unit)
        return _certain("connector-missing", "the connector's unit is masked", Repair.NONE, cure)
    if unit.state is UnitState.MISSING:
        text, cure = absent("connector", unit, "cloudflared", facts.terms.connector_unit)
        return _certain("connector-missing", text, Repair.NONE, cure)
    if facts.replica and facts.saved.phase is Phase.JOINING:
        return None  # joining is what starts it
    text = f"the connector's process is gone ({unit.exit})" if unit.exit else "the connector is not started"
    return _certain("connector-gone", text, Repair.RESTART_CONNECTOR)


def _no_edge(facts: Facts) -> Cause | None:
    since, looked = facts.memory.no_edge_since, facts.memory.edge_looked_at
    if since is None or looked is None or looked - since < facts.terms.no_edge:
        return None
    text = f"no edge connection for {looked - since:.0f} s"
    return _certain("no-edge", text, Repair.RESTART_CONNECTOR)


def _ingress(facts: Facts, memory: Memory) -> tuple[Memory, Cause | None]:
    reading, wanted = facts.observed.connector.ingress, facts.terms.ingress
    told = isinstance(reading, Value) and bool(wanted) and not _before_first_push(facts, reading.value)
    problem = ingress_problem(reading.value, wanted) if told and isinstance(reading, Value) else None
    memory, fallen = fall(
        memory, "ingress-wrong", None if problem is None else bool(problem), reading.at, facts.terms.falls
    )
    if not fallen:
        return memory, None
    # a configuration that cannot be read now takes nothing back
    text = problem or "the connector's ingress was wrong when last read"
    if problem and _other_tunnel(facts):
        text = "the connector runs another tunnel: its " + problem.removeprefix("the connector's ")
    return memory, _certain("ingress-wrong", text, Repair.RESTART_CONNECTOR, "sudo inferagent setup")


def _host_refused(facts: Facts, memory: Memory) -> tuple[Memory, Cause | None]:
    """Every user would get 403; no restart gives them another name."""
    engine = facts.observed.engine
    refuses = bool(engine.refuses) if isinstance(engine.accepts, Value) else None
    memory, fallen = fall(memory, "host-refused", refuses, engine.accepts.at, facts.terms.falls)
    if not fallen:
        return memory, None
    text = f"the engine answers 403 to the Host header {engine.refuses or 'of the users'}"
    return memory, _certain("ingress-wrong", text, Repair.NONE, "sudo inferagent setup")


def _before_first_push(facts: Facts, ingress: Ingress) -> bool:
    """A connector that is not connected yet has been told nothing: that is no wrong ingress."""
    return ingress.version < 0 and not known(facts.observed.connector.ready)


def ingress_problem(ingress: Ingress, wanted: tuple[IngressRule, ...]) -> str:
    """ "" when every wanted rule is there, in this order; else what is wrong, the first thing first.

    Foreign rules between them are nobody's fault unless they shadow ours, which the order shows.
    """
    if not ingress.rules:
        return "the connector's ingress is empty"
    places = []
    for rule in wanted:
        if rule not in ingress.rules:
            where = f"{rule.hostname}{' ' + rule.path if rule.path else ''}"
            return f"the connector's ingress has no rule {where} → {rule.service}"
        places.append(ingress.rules.index(rule))
    return "" if places == sorted(places) else "the connector's ingress rules stand in the wrong order"


def _unknowns(facts: Facts) -> tuple[Finding, ...]:
    reading = facts.observed.connector.ready
    if not isinstance(reading, Failed):
        return ()
    text = f"connector: {reading.reason}"
    return (Finding("connector-unknown", Component.CONNECTOR, Health.UNKNOWN, text, 0.0),)


def two_agents(facts: Facts) -> str:
    """ "" or why it is in doubt that this identity belongs to this machine alone (S15)."""
    own = facts.own
    if own and own.machine and facts.terms.machine and own.machine != facts.terms.machine:
        return "two agents: the pool's description names another machine"
    if not facts.replica and _other_tunnel(facts):
        return "two agents: the connector runs another tunnel"
    return ""


def _other_tunnel(facts: Facts) -> bool:
    tunnel, ours = known(facts.observed.connector.tunnel_id), facts.terms.tunnel_id
    return bool(tunnel and ours and tunnel != ours)


def _two_agents(facts: Facts) -> tuple[Finding, ...]:
    text = two_agents(facts)
    if not text:
        return ()
    cure = "sudo inferagent setup"
    return (Finding("two-agents", Component.MEMBERSHIP, Health.UNHEALTHY, text, 0.0, cure),)
