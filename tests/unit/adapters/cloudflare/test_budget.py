"""The share of calls, and what a 429 leaves behind."""

import pytest

from inferagent.adapters.cloudflare.budget import Budget, Urgency, share_for
from inferagent.ports import PortError

READ, WRITE, LEAVE = Urgency.READ, Urgency.WRITE, Urgency.LEAVE


def spend(budget: Budget, now: float, urgency: Urgency) -> int:
    """Calls that are allowed at one moment."""
    for count in range(10_000):
        try:
            budget.take(now, urgency)
        except PortError:
            return count
    raise AssertionError("the budget has no end")


def test_half_is_kept_for_leaving() -> None:
    budget = Budget(60)
    assert spend(budget, 0.0, WRITE) == 30
    assert spend(budget, 0.0, LEAVE) == 30


def test_looking_leaves_something_for_a_join() -> None:
    budget = Budget(60)
    assert spend(budget, 0.0, READ) == 24
    assert spend(budget, 0.0, WRITE) == 6


def test_leaving_may_take_it_all() -> None:
    assert spend(Budget(60), 0.0, LEAVE) == 60


def test_it_refills_over_five_minutes_and_no_further() -> None:
    budget = Budget(60)
    spend(budget, 0.0, LEAVE)
    assert spend(budget, 50.0, LEAVE) == 10
    assert spend(budget, 100_000.0, LEAVE) == 60


def test_the_wait_is_told_and_true() -> None:
    budget = Budget(60)
    spend(budget, 0.0, WRITE)
    with pytest.raises(PortError, match="share of calls") as caught:
        budget.take(0.0, WRITE)
    wait = caught.value.retry_after
    assert wait == pytest.approx(5.0)
    budget.take(wait, WRITE)


@pytest.mark.parametrize(("told", "length"), [(None, 300.0), (12.0, 12.0), (1e9, 300.0), (-5.0, 0.0)])
def test_a_block_lasts_as_told_and_never_longer_than_the_window(told: float | None, length: float) -> None:
    budget = Budget(60)
    assert budget.block(1000.0, told) == length
    assert budget.blocked_for(1000.0) == length
    assert budget.blocked_for(1000.0 + length) == 0


def test_a_block_stops_leaving_too_until_its_end() -> None:
    budget = Budget(60)
    budget.block(0.0, 300.0)
    with pytest.raises(PortError, match="refuses every call") as caught:
        budget.take(1.0, LEAVE)
    assert caught.value.retry_after == pytest.approx(299.0)
    budget.take(300.0, LEAVE)


def test_a_shorter_block_does_not_end_a_longer_one() -> None:
    budget = Budget(60)
    budget.block(0.0, 300.0)
    budget.block(10.0, 5.0)
    assert budget.blocked_for(20.0) == 280.0


@pytest.mark.parametrize("pace", [0.5, 2.0, 3.0, 15.0, 60.0])
def test_a_share_lasts_for_looking_at_the_configured_pace(pace: float) -> None:
    budget = Budget(share_for(pace))
    for look in range(int(900 / pace)):
        budget.take(look * pace, READ)
        if (look * pace) % 60 < pace:
            budget.take(look * pace, READ)
    assert budget.wait(900.0, WRITE) == 0


def test_the_share_of_the_usual_pace_is_small() -> None:
    assert share_for(15.0) * 19 < 1200
