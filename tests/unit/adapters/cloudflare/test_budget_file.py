"""The share of calls outlives the agent, and ends with the boot."""

import json

import pytest

from inferagent.adapters.cloudflare.budget import Budget, Left, Urgency
from inferagent.adapters.cloudflare.budget_file import NAME, BudgetFile
from inferagent.ports import PortError


def used_up(budget: Budget, now: float) -> int:
    for count in range(100):
        try:
            budget.take(now, Urgency.LEAVE)
        except PortError:
            return count
    raise AssertionError("the budget has no end")


def test_agents_that_start_again_and_again_share_one_budget(tmp_path) -> None:
    calls = sum(used_up(Budget(60, store=BudgetFile(tmp_path, "b")), 10.0 + life) for life in range(10))
    assert calls == 61, "the share, and what nine seconds refill"


def test_a_refusal_is_remembered_by_the_next_agent(tmp_path) -> None:
    Budget(60, store=BudgetFile(tmp_path, "b")).block(5.0, 100.0)
    again = Budget(60, store=BudgetFile(tmp_path, "b"))
    assert again.wait(15.0, Urgency.LEAVE) == pytest.approx(90.0)


def test_another_boot_begins_anew(tmp_path) -> None:
    used_up(Budget(60, store=BudgetFile(tmp_path, "b")), 10.0)
    assert BudgetFile(tmp_path, "c").load() is None


@pytest.mark.parametrize("content", ["", "[]", "5", '{"boot":"b"}', '{"boot":"b","left":1,"at":"x"}', "{"])
def test_what_cannot_be_understood_is_none(tmp_path, content) -> None:
    (tmp_path / NAME).write_text(content)
    assert BudgetFile(tmp_path, "b").load() is None


def test_numbers_that_are_none_are_refused(tmp_path) -> None:
    (tmp_path / NAME).write_text(json.dumps({"boot": "b", "left": 1, "at": float("nan"), "blocked_until": 0}))
    assert BudgetFile(tmp_path, "b").load() is None


def test_a_folder_that_takes_nothing_disturbs_nothing(tmp_path) -> None:
    budget = Budget(60, store=BudgetFile(tmp_path / "missing", "b"))
    assert used_up(budget, 1.0) == 60


def test_what_is_kept_comes_back(tmp_path) -> None:
    BudgetFile(tmp_path, "b").save(Left(3.5, 7.0, 0.0))
    assert BudgetFile(tmp_path, "b").load() == Left(3.5, 7.0, 0.0)
