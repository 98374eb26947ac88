"""One whole decision."""

from dataclasses import replace

from tests.support.build import (
    NOW,
    PEER,
    connector,
    dead,
    desired,
    endpoint,
    failed,
    generation,
    leaving,
    look,
    memory,
    observed,
    out_view,
    saved,
    unit,
    val,
    view,
)

from inferagent.model.action import Push, Restart, Start, Stop
from inferagent.model.desired import Hold, Mode, Terms
from inferagent.model.engine import Outcome, Progress
from inferagent.model.phase import Label, Phase
from inferagent.model.saved import Write
from inferagent.model.tunnel import Ingress, IngressRule
from inferagent.model.unit import Part
from inferagent.policy.decide import decide
from inferagent.policy.rules import RULES

GONE = observed(engine_unit=val(dead(exit="exit code 0")))
DISABLED = observed(membership=val(out_view()))


def test_nothing_wrong_changes_nothing():
    found = decide(observed(), desired(), saved())
    assert (found.phase, found.verdict, found.actions, found.vetoes) == (Phase.SERVING, True, (), ())
    assert found.label is None
    assert found.sentence == "serving"


def test_a_death_leaves_and_repairs_in_one_tick():
    found = decide(GONE, desired(), saved())
    assert (found.phase, found.verdict) == (Phase.DRAINING, False)
    assert [type(action) for action in found.actions] == [Push, Start]
    assert found.saved.last_write == Write(False, NOW)
    assert found.saved.restarts == (NOW,)


def test_what_a_rule_stops_is_said_and_not_done():
    kept = saved(restarts=(NOW - 900, NOW - 600, NOW - 301))
    found = decide(GONE, desired(), kept)
    assert [type(action) for action in found.actions] == [Push]
    assert ("S8", "start engine") in [(veto.rule, veto.proposal) for veto in found.vetoes]


def test_a_rule_can_be_left_out():
    kept = saved(restarts=(NOW - 900, NOW - 600, NOW - 301))
    assert Start in [type(action) for action in decide(GONE, desired(), kept, ()).actions]


def test_a_join_takes_its_arrow_and_enables():
    found = decide(DISABLED, desired(), leaving(Phase.OUT, baseline=False))
    assert (found.phase, found.verdict) == (Phase.JOINING, True)
    assert [type(action) for action in found.actions] == [Push]
    assert found.saved.joins == (NOW,)


def test_one_move_a_tick():
    assert decide(GONE, desired(), saved(Phase.JOINING)).phase is Phase.DRAINING


def test_a_write_overtaken_before_it_showed_may_still_land():
    kept = leaving(Phase.OUT, baseline=False, last_write=Write(False, NOW - 30, answered=True))
    late = replace(DISABLED, membership=val(out_view(), NOW - 10))
    unseen = replace(kept, last_write=Write(True, NOW - 30))
    assert decide(late, desired(), kept).saved.unanswered_at is None
    held = replace(unseen, phase=Phase.SERVING, memory=memory(sinces=(("hold", NOW - 3),)))
    assert decide(observed(), desired(hold=Hold("")), held).phase is Phase.DRAINING
    overtaken = saved(last_write=Write(True, NOW - 30), baseline=False)
    seen = replace(GONE, membership=failed())
    assert decide(seen, desired(), overtaken).saved.unanswered_at == NOW


def test_stopping_the_engine_for_the_operator_is_remembered():
    wish = desired(hold=Hold("", stop_engine=True))
    found = decide(DISABLED, wish, leaving(Phase.OUT))
    assert Stop in [type(action) for action in found.actions]
    assert found.saved.stopped_engine
    assert found.label is Label.HELD


def test_a_restart_is_booked_and_a_connection_clears_the_connectors_count():
    still = {
        "moved_at": NOW - 90,
        "asked_since": NOW - 90,
        "looked_at": NOW - 1,
        "signature": (("moves", 1.0),),
    }
    kept = leaving(Phase.OUT, baseline=False, connector_restarts=2, memory=memory(**still))
    seen = observed(
        membership=val(out_view()),
        generation=val(generation(Outcome.UNANSWERED, NOW - 10, 6.0)),
        engine=look(progress=val(Progress((("moves", 1.0),)))),
    )
    found = decide(seen, desired(), kept)
    assert Restart(Part.ENGINE) in [replace(a, why="") for a in found.actions if isinstance(a, Restart)]
    assert (found.saved.restarts, found.saved.connector_restarts) == ((NOW,), 0)


def test_a_hold_waits_for_a_reading_of_the_pool_and_leaves_on_it():
    first = decide(observed(), desired(hold=Hold("")), saved())
    assert (first.phase, first.pace.membership) == (Phase.SERVING, 1.0)
    assert [(veto.rule, veto.why) for veto in first.vetoes] == [("S2", "needs a newer reading of the pool")]
    for later, phase in ((1, Phase.SERVING), (3, Phase.DRAINING)):  # the best of all lets the others go first
        read = observed(now=NOW + later, membership=val(view(PEER), NOW + later))
        assert decide(read, desired(hold=Hold("")), first.saved).phase is phase
    behind = view(endpoint("peer", rank=-1))
    read = observed(now=NOW + 1, membership=val(behind, NOW + 1))
    assert decide(read, desired(hold=Hold("")), first.saved).phase is Phase.DRAINING


BETTER, OWN = endpoint("peer", rank=0), endpoint(rank=5, effective=False)
PARKED = observed(membership=val(view(BETTER, own=OWN)))
CALLED_BACK = observed(membership=val(view(replace(BETTER, healthy=False), own=OWN)))


def test_a_soft_absence_lasts_while_a_better_one_is_effective_and_is_proposed_anew_each_tick():
    wish, kept = desired(parked="idle"), leaving(Phase.OUT, baseline=False)
    assert decide(PARKED, wish, kept).label is Label.PARKED
    assert decide(CALLED_BACK, wish, kept).phase is Phase.JOINING
    without = [rule for rule in RULES if rule.name != "S14"]
    assert decide(CALLED_BACK, wish, kept, without).label is Label.PARKED


def test_observing_forbids_deeds_and_not_to_stay_out():
    wish = desired(parked="idle", mode=Mode.OBSERVE)
    assert decide(PARKED, wish, leaving(Phase.OUT)).label is Label.PARKED


def test_an_observing_agent_follows_the_readings_and_does_nothing():
    wish = desired(mode=Mode.OBSERVE)
    found = decide(GONE, wish, saved())
    assert (found.phase, found.actions, found.saved.adopted) == (Phase.SERVING, (), False)
    assert "observe" in {veto.rule for veto in found.vetoes}
    assert decide(DISABLED, wish, saved()).phase is Phase.OUT
    blind = observed(membership=failed(), engine=look(accepts=failed()))
    assert decide(blind, wish, saved()).verdict
    assert not decide(observed(engine=look(accepts=val(False))), wish, saved()).verdict


def test_an_observing_agent_keeps_the_date_of_its_phase_and_takes_a_new_life_as_it_is():
    wish = desired(mode=Mode.OBSERVE)
    first = decide(observed(engine_unit=val(unit("e2"))), wish, saved())
    assert "engine-restarted" in {cause.code for cause in first.causes}
    again = decide(observed(engine_unit=val(unit("e2"))), wish, first.saved)
    assert again.causes == ()
    assert again.saved.since == saved().since


def test_restarts_that_have_not_cured_are_counted_on_while_the_connector_is_ill():
    kept = leaving(Phase.OUT, connector_restarts=3, connector_restart_at=NOW)
    wish = desired(Terms(ingress=(IngressRule("a.example.com", "", "http://127.0.0.1:1"),), falls=1))
    connected = observed(connector=connector(ingress=val(Ingress(1, ()))))
    assert decide(connected, wish, kept).saved.connector_restarts == 3
    assert decide(connected, desired(), kept).saved.connector_restarts == 0
