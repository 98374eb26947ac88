"""The judgement of power cuts."""

from typing import Any

import pytest
from tests.hosts.cuts import Cut, damage, keeps, membership, out_of_order, unexplained

from inferagent.adapters.saved_state import encode
from inferagent.lab.traffic_judge import Outcome
from inferagent.model.saved import Saved

WHOLE = encode(Saved(adopted=True, baseline=False)).decode()
CUT = Cut("cut", 100.0, 100.0, 10.0)


def failed(start: float, end: float, host: str = "h101", cause: str = "too slow") -> Outcome:
    return Outcome(start, end, "plain", host, cause)


@pytest.mark.parametrize(
    "outcome",
    [failed(99.0, 100.5), failed(109.0, 119.0), failed(105.0, 115.0, ""), failed(1.0, 2.0, "h1", cause="")],
)
def test_a_cut_explains_what_was_under_way_and_what_the_edge_still_sent(outcome: Outcome) -> None:
    assert unexplained([outcome], [CUT], "h101") == []


@pytest.mark.parametrize("outcome", [failed(98.0, 99.0), failed(111.0, 112.0), failed(99.0, 101.0, "h1")])
def test_other_failures_are_nobody_s_but_ours(outcome: Outcome) -> None:
    assert unexplained([outcome], [CUT], "h101") == [outcome]


def test_nothing_is_forgiven_where_nobody_was() -> None:
    outcome = failed(99.0, 101.0)
    assert unexplained([outcome], [Cut("out", 100.0, 100.0, None)], "h101") == [outcome]


def test_membership_is_the_pool_s_own_without_repetitions() -> None:
    def write(pool: str, enabled: bool) -> dict[str, Any]:
        return {"path": f"/accounts/a/load_balancers/pools/{pool}", "body": {"enabled": enabled}}

    writes = [write("p", False), write("q", True), write("p", False), write("p", True)]
    assert membership(writes, "p") == [False, True]


@pytest.mark.parametrize(
    ("written", "held", "calm"),
    [
        ([], True, True),
        ([False], True, True),
        ([False, True], True, False),
        ([], False, True),
        ([False, True], False, True),
        ([True], False, True),
        ([False], False, False),
        ([True, False, True], False, False),
    ],
)
def test_the_order_of_writes(written: list[bool], held: bool, calm: bool) -> None:
    assert (out_of_order(written, held=held) == "") is calm


def test_whole_state_is_whole() -> None:
    assert damage(["events", "state.json", "state.previous.json"], WHOLE, {"findings": []}) == ""


@pytest.mark.parametrize(
    ("names", "state", "findings"),
    [
        (["state.json", "state.damaged.json"], WHOLE, []),
        (["state.json", "state.old.json"], WHOLE, []),
        (["state.json"], WHOLE[:40], []),
        (["state.json"], WHOLE.replace("false", "true", 1), []),
        (["state.json"], encode(Saved()).decode(), []),
        ([], None, []),
        (["state.json"], WHOLE, [{"code": "state-damaged", "text": "cannot use it"}]),
    ],
)
def test_what_is_lost_is_said(names: list[str], state: str | None, findings: list[dict[str, str]]) -> None:
    assert damage(names, state, {"findings": findings})


def test_a_file_of_lines_may_lose_its_last_one_only() -> None:
    assert keeps("", "")
    assert keeps("a\nb\n", "a\n")
    assert keeps("a\nb\n", "a\nb\nc\n")
    assert not keeps("a\nb\nc\n", "a\n")
    assert not keeps("a\nb\n", "x\nb\n")
