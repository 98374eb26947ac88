"""Budgets of restarts, joins, connector restarts and writes."""

from dataclasses import replace

import pytest
from tests.support.build import (
    NOW,
    desired,
    endpoint,
    facts,
    failed,
    leaving,
    observed,
    saved,
    unit,
    val,
    view,
)

from inferagent.model.desired import Terms
from inferagent.model.observed import Job
from inferagent.model.phase import Phase
from inferagent.model.saved import Write
from inferagent.policy import budget

ALONE = observed(membership=val(view(endpoint("peer", effective=False))))
UNKNOWN = observed(membership=failed())


@pytest.mark.parametrize(
    ("ours", "supervisors", "may"),
    [
        ((), (), True),
        ((NOW - 31,), (), True),
        ((NOW - 29,), (), False),
        ((NOW - 300,), (NOW - 100,), False),
        ((NOW - 300,), (NOW - 121,), True),
        ((NOW - 900, NOW - 600), (NOW - 301,), False),
        ((NOW - 3601, NOW - 600), (NOW - 301,), True),
    ],
)
def test_restarts_are_counted_with_the_supervisors_and_grow_apart(ours, supervisors, may):
    seen = observed(engine_unit=val(unit(own_restarts=supervisors)))
    found = facts(seen=seen, kept=saved(restarts=ours))
    assert (budget.restart_wait(found) == "") is may


def test_a_spent_budget_is_said_until_it_refills():
    spent = facts(kept=saved(restarts=(NOW - 3000, NOW - 2000, NOW - 1000)))
    assert budget.restarts_spent(spent)
    assert "10 min" in budget.restart_wait(spent)
    assert not budget.restarts_spent(facts(kept=saved(restarts=(NOW - 3601, NOW - 2000, NOW - 1000))))


def joining(seen=None, **kept):
    return budget.join_wait(facts(seen=seen, kept=leaving(Phase.OUT, **kept)))


def test_a_join_waits_for_the_hold_off_and_the_cap():
    assert joining() == ""
    assert "held off" in joining(hold_off_until=NOW + 1)
    assert "6 joins" in joining(joins=(NOW - 1,) * 6)
    assert joining(joins=(NOW - 3601,) * 6) == ""


def test_resume_waits_for_neither():
    assert joining(resume_free=True, hold_off_until=NOW + 99, joins=(NOW,) * 9, restarts=CRASHES) == ""


CRASHES = (NOW - 3000, NOW - 2000, NOW - 1000)


def crashing(*effective: bool) -> str:
    """The supervisor alone has restarted the engine."""
    peers = [endpoint(f"peer{n}", up) for n, up in enumerate(effective)]
    return joining(observed(membership=val(view(*peers)), engine_unit=val(unit(own_restarts=CRASHES))))


def test_an_engine_that_keeps_dying_comes_back_only_where_it_is_missed():
    assert "3 restarts" in crashing(True)
    assert "3 restarts" in crashing(True, True, False)
    assert crashing(True, False) == ""
    assert crashing(False) == ""
    assert joining(restarts=CRASHES[1:]) == ""


def test_the_only_host_joins_three_times_freely_then_a_minute_apart():
    assert joining(ALONE, hold_off_until=NOW + 999, joins=(NOW - 1, NOW - 1)) == ""
    assert joining(ALONE, joins=(NOW - 1,) * 3) != ""
    assert joining(ALONE, joins=(NOW - 61,) * 3) == ""


def test_where_the_others_cannot_be_read_the_hold_off_ends_after_four_minutes():
    assert joining(UNKNOWN, left=NOW - 239, hold_off_until=NOW + 999) != ""
    assert joining(UNKNOWN, left=NOW - 241, hold_off_until=NOW + 999, joins=(NOW,) * 9) == ""


@pytest.mark.parametrize(("level", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (20, 60)])
def test_the_hold_off_doubles_to_an_hour(level, minutes):
    assert budget.hold_off(level, 60.0) == 60.0 * minutes


@pytest.mark.parametrize(
    ("done", "since", "may"), [(0, 0, True), (1, 59, False), (1, 60, True), (9, 599, False)]
)
def test_the_connector_has_a_pace_of_its_own(done, since, may):
    kept = saved(connector_restarts=done, connector_restart_at=NOW - since)
    assert (budget.reconnect_wait(facts(kept=kept)) == "") is may


def test_a_deed_that_failed_is_tried_again_later_and_later():
    first = Job(ended=NOW - 4, error="cannot", failures=1)
    later = Job(ended=NOW - 60, error="cannot", failures=5)
    for job in (first, later):
        assert budget.retry_wait(facts(seen=observed(jobs=(("engine", job),))), "engine")
    assert not budget.retry_wait(facts(), "engine")


def write(
    member: bool, last: Write, failures: int = 0, ended: float = NOW - 2, since: float = NOW - 59
) -> str:
    job = Job(ended=ended, failures=failures)
    seen = observed(jobs=(("push", job),))
    return budget.write_wait(facts(seen=seen, kept=saved(last_write=last, since=since)), member)


def test_leaving_is_written_again_sooner_than_joining():
    assert write(False, Write(False, NOW - 3), failures=1) == ""
    assert write(True, Write(True, NOW - 3), failures=1) != ""
    assert write(False, Write(False, NOW - 3), failures=9, ended=NOW - 14) != ""
    assert write(False, Write(False, NOW - 3), failures=9, ended=NOW - 15) == ""


def test_a_write_of_the_other_direction_waits_for_nothing():
    assert write(False, Write(True, NOW - 1), failures=9) == ""


def test_an_answered_write_is_given_time_to_show():
    assert write(True, Write(True, NOW - 4, answered=True)) != ""
    assert write(True, Write(True, NOW - 6, answered=True)) == ""
    assert write(True, Write(True, NOW - 4, answered=True, confirmed=True)) == ""


def test_an_enabling_write_that_does_not_show_for_a_minute_is_repeated_once_a_minute():
    """Disabled at another level of the pool, it can never show; a leaving one may not wait for that."""
    long = NOW - 60
    assert write(True, Write(True, NOW - 59, answered=True), since=long) != ""
    assert write(True, Write(True, NOW - 60, answered=True), since=long) == ""
    assert write(False, Write(False, NOW - 6, answered=True), since=long) == ""


def test_the_numbers_come_from_the_terms():
    terms = Terms(restarts_per_hour=1, joins_per_hour=1)
    kept = leaving(Phase.OUT, restarts=(NOW - 900,), joins=(NOW - 900,))
    found = facts(kept=kept, wish=desired(terms))
    assert budget.restarts_spent(found)
    assert budget.join_wait(found) != ""


ENDLESS = 10**30


@pytest.mark.parametrize("member", [True, False])
def test_failures_without_end_still_have_a_pause(member):
    seen = replace(observed(), jobs=(("push", Job(ended=NOW, failures=ENDLESS)),))
    assert "again in" in budget.write_wait(
        facts(seen=seen, kept=saved(last_write=Write(member, NOW))), member
    )
    assert "again in" in budget.retry_wait(facts(seen=seen), "push")


def test_restarts_and_hold_offs_without_end_still_have_a_pause():
    kept = saved(connector_restarts=ENDLESS, connector_restart_at=NOW)
    assert "next restart in" in budget.reconnect_wait(facts(kept=kept))
    assert budget.hold_off(ENDLESS, 60.0) == 3600.0
