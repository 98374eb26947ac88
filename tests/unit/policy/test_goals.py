"""Goal minus observation."""

import pytest
from tests.support.build import (
    NOW,
    cause,
    dead,
    desired,
    facts,
    failed,
    leaving,
    observed,
    out_view,
    saved,
    val,
)

from inferagent.model.action import Push, Restart, Start, Stop
from inferagent.model.change import changed
from inferagent.model.desired import Hold, Terms
from inferagent.model.health import CauseKind, Component, Finding, Health, Repair
from inferagent.model.membership import MembershipKind
from inferagent.model.observed import Job
from inferagent.model.phase import Phase
from inferagent.model.reading import NEVER
from inferagent.model.saved import Write
from inferagent.model.unit import Part, UnitState
from inferagent.policy.goals import wanted

DISABLED = val(out_view())
GONE = cause(code="engine-gone", repair=Repair.START_ENGINE)
HUNG = cause(CauseKind.INFERRED, "engine-hung", repair=Repair.RESTART_ENGINE)
CUT = cause(code="no-edge", repair=Repair.RESTART_CONNECTOR)
REPLICA = desired(Terms(membership=MembershipKind.REPLICA))
OUT = leaving(Phase.OUT)


def kinds(*causes, kept=None, wish=None, **seen) -> list[tuple]:
    """Each action without its reason."""
    found = wanted(facts(*causes, seen=observed(**seen), kept=kept, wish=wish))
    return [(type(a), a.member if isinstance(a, Push) else a.part) for a in found]


def test_a_healthy_serving_host_wants_nothing():
    assert kinds() == []


def test_inside_it_wants_to_be_enabled_by_a_reading_that_says_disabled():
    assert kinds(membership=DISABLED) == [(Push, True)]
    assert kinds(membership=failed()) == []
    assert kinds(membership=DISABLED, kept=saved(last_write=Write(True, NOW))) == []


def test_outside_it_wants_to_be_disabled_with_or_without_a_reading():
    assert kinds(kept=leaving()) == [(Push, False)]
    assert kinds(kept=leaving(), membership=DISABLED) == []
    assert kinds(kept=leaving(), membership=failed()) == [(Push, False)]


def test_the_write_that_takes_back_another_hands_word_says_so():
    kept = leaving(Phase.OUT, cause=cause(CauseKind.OPERATOR, "hold"))
    told = Finding("enabled-by-another", Component.MEMBERSHIP, Health.DEGRADED, "x", NOW)
    plain = facts(kept=kept)
    assert [push.why for push in wanted(plain)] == ["hold"]
    assert [push.why for push in wanted(changed(plain, findings=(told,)))] == ["x"]


@pytest.mark.parametrize(
    ("write", "again"),
    [
        (Write(False, NOW - 40, answered=True), False),
        (Write(False, NOW - 60, answered=True), True),
        (Write(False, NOW - 60, confirmed=True), False),
        (Write(False, NOW - 40), True),
        (Write(True, NOW - 40, confirmed=True), True),
    ],
)
def test_without_a_reading_our_last_answered_word_since_leaving_counts(write, again):
    found = kinds(kept=leaving(last_write=write), membership=failed())
    assert found == ([(Push, False)] if again else [])


def test_a_host_that_has_just_woken_waits_for_the_first_reading():
    assert kinds(kept=OUT, membership=NEVER) == []
    assert kinds(kept=leaving(), membership=NEVER) == [(Push, False)]
    assert kinds(kept=OUT, membership=failed()) == [(Push, False)]


def test_what_is_under_way_is_not_begun_again_but_turned_round():
    busy = (("push", Job(running=True)),)
    assert kinds(kept=leaving(last_write=Write(False, NOW - 99)), jobs=busy) == []
    assert kinds(kept=leaving(last_write=Write(True, NOW - 99)), jobs=busy) == [(Push, False)]


@pytest.mark.parametrize("kind", [MembershipKind.PULL, MembershipKind.REPLICA])
def test_only_a_pool_of_our_own_is_written(kind):
    wish = desired(Terms(membership=kind))
    assert Push not in [found[0] for found in kinds(kept=leaving(), wish=wish)]


def test_a_dead_engine_is_started_and_what_it_left_running_is_ended_by_a_restart():
    quiet = {"membership": DISABLED}
    assert kinds(GONE, kept=OUT, engine_unit=val(dead()), **quiet) == [(Start, Part.ENGINE)]
    assert kinds(GONE, kept=leaving(), engine_unit=val(dead()), **quiet) == [(Start, Part.ENGINE)]
    left = val(dead(leftovers=2))
    assert kinds(GONE, kept=OUT, engine_unit=left, **quiet) == [(Restart, Part.ENGINE)]
    assert kinds(GONE, kept=leaving(), engine_unit=left, **quiet) == []


def test_a_hung_engine_is_restarted_only_while_out():
    assert kinds(HUNG, kept=OUT, membership=DISABLED) == [(Restart, Part.ENGINE)]
    assert kinds(HUNG, kept=leaving(), membership=DISABLED) == []
    assert kinds(HUNG, kept=OUT, membership=DISABLED, jobs=(("engine", Job(running=True)),)) == []


def test_the_operator_may_want_the_engine_stopped():
    wish = desired(hold=Hold("", stop_engine=True))
    held = cause(CauseKind.OPERATOR, "hold")
    assert kinds(held, kept=OUT, wish=wish, membership=DISABLED) == [(Stop, Part.ENGINE)]
    assert kinds(held, kept=leaving(), wish=wish, membership=DISABLED) == []
    assert kinds(held, GONE, kept=OUT, wish=wish, membership=DISABLED, engine_unit=val(dead())) == []


def test_idling_stops_an_engine_only_where_nothing_else_is_wrong():
    wish = desired(Terms(stop_when_parked=True), parked="idle")
    parked = cause(CauseKind.SOFT, "parked")
    blind = {"membership": failed()}  # a parked host stays parked
    kept = leaving(Phase.OUT, last_write=Write(False, NOW - 9, answered=True))
    assert kinds(parked, kept=kept, wish=wish, **blind) == [(Stop, Part.ENGINE)]
    assert kinds(parked, kept=kept, wish=desired(parked="idle"), **blind) == []
    assert kinds(parked, cause(code="model-missing"), kept=kept, wish=wish, **blind) == []
    assert kinds(kept=kept, wish=wish, **blind) == [], "a replica is never parked"


def test_a_connector_that_is_down_is_started_and_one_without_connection_restarted_while_out():
    off = val(dead())
    assert kinds(kept=OUT, membership=DISABLED, connector_unit=off) == [(Start, Part.CONNECTOR)]
    assert kinds(CUT, kept=OUT, membership=DISABLED) == [(Restart, Part.CONNECTOR)]
    assert kinds(CUT, kept=leaving(), membership=DISABLED) == []
    waiting = val(dead(UnitState.RESTARTING))
    assert kinds(kept=OUT, membership=DISABLED, connector_unit=waiting) == []
    person = val(dead(stopped_by_person=True))
    assert kinds(kept=OUT, membership=DISABLED, connector_unit=person) == []


def test_a_replicas_connector_runs_while_it_is_in():
    assert kinds(kept=leaving(), wish=REPLICA) == [(Stop, Part.CONNECTOR)]
    assert kinds(kept=OUT, wish=REPLICA, connector_unit=val(dead())) == []
    assert kinds(kept=saved(Phase.JOINING), wish=REPLICA, connector_unit=val(dead())) == [
        (Start, Part.CONNECTOR)
    ]


def test_a_host_that_goes_down_ends_its_connector_last_and_starts_nothing():
    wish = desired(going_until=NOW + 25)
    assert kinds(GONE, kept=OUT, wish=wish, membership=DISABLED, engine_unit=val(dead())) == [
        (Stop, Part.CONNECTOR)
    ]
    assert kinds(kept=leaving(), wish=wish, membership=DISABLED) == []
    assert kinds(kept=OUT, wish=wish, membership=DISABLED, connector_unit=val(dead())) == []
    systemds = desired(Terms(connector_unit="cloudflared.service"), going_until=NOW + 25)
    assert kinds(kept=OUT, wish=systemds, membership=DISABLED) == []
