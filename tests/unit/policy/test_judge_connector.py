"""The connector's causes and findings."""

from dataclasses import replace

import pytest
from tests.support.build import (
    NOW,
    connector,
    dead,
    desired,
    endpoint,
    facts,
    failed,
    look,
    memory,
    observed,
    saved,
    unit,
    val,
    view,
)

from inferagent.model.desired import Terms
from inferagent.model.health import Repair
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.tunnel import Ingress, IngressRule
from inferagent.model.unit import UnitState
from inferagent.policy.facts import Facts
from inferagent.policy.judge_connector import ingress_problem, judge_connector, two_agents

READY = IngressRule("h.example.com", "^/ready$", "http://127.0.0.1:8790")
MODEL = IngressRule("h.example.com", "", "http://127.0.0.1:8000")
CATCH_ALL = IngressRule("", "", "http_status:404")
REPLICA = desired(Terms(membership=MembershipKind.REPLICA))


def codes(seen: Facts) -> list[str]:
    return [cause.code for cause in judge_connector(seen)[1].causes]


def findings(seen: Facts) -> list[str]:
    return [finding.code for finding in judge_connector(seen)[1].findings]


@pytest.mark.parametrize(
    ("found", "code", "repair"),
    [
        (dead(exit="killed by signal 9"), "connector-gone", Repair.RESTART_CONNECTOR),
        (dead(stopped_by_person=True), "connector-stopped-by-person", Repair.NONE),
        (dead(UnitState.MISSING), "connector-missing", Repair.NONE),
    ],
)
def test_a_connector_without_a_process_is_a_cause_at_once(found, code, repair):
    (cause,) = judge_connector(facts(seen=observed(connector_unit=val(found))))[1].causes
    assert (cause.code, cause.repair) == (code, repair)


def test_what_cannot_be_read_is_said_and_is_no_cause():
    seen = facts(seen=observed(connector_unit=failed(), connector=connector(ready=failed())))
    assert codes(seen) == []
    assert findings(seen) == ["connector-unknown"]


def edgeless(**fields: float | None) -> Facts:
    return facts(kept=saved(memory=memory(**fields)))


def test_an_edge_that_is_away_for_a_minute_is_certain():
    assert codes(edgeless(no_edge_since=NOW - 60, edge_looked_at=NOW)) == ["no-edge"]
    assert codes(edgeless(no_edge_since=NOW - 59, edge_looked_at=NOW)) == []
    assert codes(edgeless(no_edge_since=NOW - 60, edge_looked_at=None)) == []


def told(
    rules: tuple[IngressRule, ...], version: int = 1, ready: int = 4, at: float = NOW, kept=None
) -> Facts:
    look = connector(at, ingress=val(Ingress(version, rules), at), ready=val(ready, at))
    wish = desired(Terms(ingress=(READY, MODEL)))
    return facts(seen=observed(now=at, connector=look), kept=kept or saved(), wish=wish)


def test_a_wrong_ingress_counts_when_read_twice_and_outlasts_a_failing_look():
    first, judged = judge_connector(told((MODEL,)))
    assert judged.causes == ()
    second, judged = judge_connector(told((MODEL,), at=NOW + 2, kept=saved(memory=first)))
    assert [cause.code for cause in judged.causes] == ["ingress-wrong"]
    blind = told((), at=NOW + 4, kept=saved(memory=second))
    unread = connector(NOW + 4, ingress=failed(NOW + 4))
    assert codes(replace(blind, observed=replace(blind.observed, connector=unread))) == ["ingress-wrong"]


def told_by(tunnel: str, at: float, kept=None, process=None) -> Facts:
    """Twice wrong, where `kept` has seen it once; of our own tunnel or of another."""
    seen = told((MODEL,), at=at, kept=saved(memory=kept) if kept else None)
    look = replace(seen.observed.connector, tunnel_id=val(tunnel, at))
    seen = replace(seen, desired=desired(Terms(ingress=(READY, MODEL), tunnel_id="ours")))
    return replace(
        seen, observed=replace(seen.observed, connector=look, connector_unit=val(process or unit()))
    )


def test_the_rules_of_another_tunnel_are_told_as_its_own():
    first, _ = judge_connector(told_by("theirs", NOW))
    (cause,) = judge_connector(told_by("theirs", NOW + 2, first))[1].causes
    assert cause.text.startswith("the connector runs another tunnel: its ingress has no rule h.example.com")


def test_another_tunnels_rules_that_are_read_while_our_process_is_gone_say_nothing_of_it():
    first, _ = judge_connector(told_by("theirs", NOW))
    after, judged = judge_connector(told_by("theirs", NOW + 2, first, dead(exit="exit code 1")))
    assert [cause.code for cause in judged.causes] == ["connector-gone"]
    assert after == first
    assert codes(told_by("ours", NOW + 2, first, dead())) == ["connector-gone", "ingress-wrong"]


def refusing(name: str, at: float, kept=None) -> Facts:
    engine = look(accepts=val(True, at), refuses=name)
    return facts(seen=observed(now=at, engine=engine), kept=saved(memory=kept) if kept else saved())


def test_a_name_that_the_engine_refuses_counts_when_read_twice():
    first, judged = judge_connector(refusing("a.example.com", NOW))
    assert judged.causes == ()
    second, judged = judge_connector(refusing("a.example.com", NOW + 2, first))
    (cause,) = judged.causes
    assert (cause.code, cause.repair) == ("ingress-wrong", Repair.NONE)
    assert "403 to the Host header a.example.com" in cause.text
    unread = look(accepts=failed(NOW + 4))
    blind = facts(seen=observed(now=NOW + 4, engine=unread), kept=saved(memory=second))
    assert codes(blind) == ["ingress-wrong"]
    assert codes(refusing("", NOW + 6, second)) == []


def test_a_connector_that_has_been_told_nothing_yet_is_not_wrong():
    first, _ = judge_connector(told((), version=-1, ready=0))
    assert codes(told((), version=-1, ready=0, at=NOW + 2, kept=saved(memory=first))) == []
    first, _ = judge_connector(told((), version=-1))
    assert codes(told((), version=-1, at=NOW + 2, kept=saved(memory=first))) == ["ingress-wrong"]


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ((READY, MODEL, CATCH_ALL), ""),
        ((CATCH_ALL, READY, MODEL), ""),
        ((MODEL, READY), "wrong order"),
        ((READY,), "no rule"),
        ((), "empty"),
    ],
)
def test_the_rules_must_be_there_in_their_order(rules, problem):
    found = ingress_problem(Ingress(1, rules), (READY, MODEL))
    assert problem in found
    assert bool(found) is bool(problem)


def test_a_replicas_connector_is_meant_to_be_down_while_out():
    off = observed(connector_unit=val(dead()))
    lost = memory(no_edge_since=NOW - 900, edge_looked_at=NOW)
    for phase, expected in (
        (Phase.OUT, []),
        (Phase.DRAINING, []),
        (Phase.SERVING, ["connector-gone", "no-edge"]),
    ):
        assert codes(facts(seen=off, kept=saved(phase, memory=lost), wish=REPLICA)) == expected
    kept, _ = judge_connector(facts(seen=off, kept=saved(Phase.OUT, memory=lost), wish=REPLICA))
    assert kept.edge_looked_at is None
    assert codes(facts(seen=off, kept=saved(Phase.JOINING, memory=kept), wish=REPLICA)) == []


def test_one_identity_belongs_to_one_machine():
    ours = Terms(machine="machine-a", tunnel_id="tunnel-a")
    clone = observed(membership=val(view(own=endpoint(machine="machine-b"))))
    assert "another machine" in two_agents(facts(seen=clone, wish=desired(ours)))
    tunnel = observed(connector=connector(tunnel_id=val("tunnel-b")))
    assert "another tunnel" in two_agents(facts(seen=tunnel, wish=desired(ours)))
    shared = desired(replace(ours, membership=MembershipKind.REPLICA))
    assert two_agents(facts(seen=tunnel, wish=shared)) == ""
    assert two_agents(facts(wish=desired(ours))) == ""
    assert findings(facts(seen=clone, wish=desired(ours))) == ["two-agents"]
