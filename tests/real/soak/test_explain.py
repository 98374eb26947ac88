"""A change of membership is explained by an event of its host, with a cause that its fault can have."""

import asyncio
from typing import Any

import pytest
from tests.real.soak.explain import Change, Word, changes_of, explain, words_of
from tests.real.soak.fault import Chapter, Fault

KILLED = Fault(
    "engine killed", lambda _: asyncio.sleep(0), "must", frozenset({"engine-gone"}), loses=True, new_life=True
)
API = Fault("API 500", lambda _: asyncio.sleep(0), "never")
OUT, IN = Word(10.0, False, "engine-gone", "disable"), Word(30.0, True, "", "enable")
LEFT, JOINED = Change(10.4, False), Change(30.2, True)


def chapter(fault: Fault = KILLED, begun: float = 9.0, ended: float = 40.0) -> Chapter:
    return Chapter(fault, begun, struck=begun, ended=ended)


def problems(changes: list[Change], words: list[Word], chapters: list[Chapter]) -> list[str]:
    return [one.problem for one in explain("a", changes, words, chapters)]


def test_leaving_and_returning_are_explained_by_their_events() -> None:
    assert problems([LEFT, JOINED], [OUT, IN], [chapter()]) == ["", ""]
    found = explain("a", [LEFT], [OUT], [chapter()])[0]
    assert (found.fault, found.cause) == ("engine killed", "engine-gone")


@pytest.mark.parametrize(
    ("words", "chapters", "said"),
    [
        ([], [chapter()], "without an event"),
        ([Word(5.0, True, "", "enable")], [chapter()], "without an event"),
        ([OUT], [], "while nothing was wrong"),
        ([OUT], [chapter(begun=20.0)], "while nothing was wrong"),
        ([Word(10.0, False, "no-edge", "disable")], [chapter()], "root cause no-edge, which should be"),
        ([Word(10.0, False, "", "disable")], [chapter()], "root cause none"),
        ([OUT], [chapter(API)], "although it must not leave"),
    ],
)
def test_a_change_that_no_event_or_fault_explains_is_a_problem(
    words: list[Word], chapters: list[Chapter], said: str
) -> None:
    (problem,) = problems([LEFT], words, chapters)
    assert said in problem


def test_an_event_that_comes_after_the_change_explains_nothing() -> None:
    (problem,) = problems([LEFT], [Word(12.0, False, "engine-gone", "disable")], [chapter()])
    assert "without an event" in problem


def test_a_host_that_changes_its_mind_at_once_is_understood() -> None:
    """An edge that comes back right after the write: leaving and joining half a second apart."""
    words = [Word(10.0, False, "engine-gone", "disable"), Word(10.6, True, "", "enable")]
    assert problems([Change(10.1, False), Change(10.9, True)], words, [chapter()]) == ["", ""]


def test_a_write_is_explained_by_its_own_word_though_the_next_was_said_before_it_landed() -> None:
    words = [Word(10.0, False, "engine-gone", "disable"), Word(10.2, True, "", "enable")]
    assert problems([Change(10.3, False), Change(10.5, True)], words, [chapter()]) == ["", ""]


def test_who_disables_later_names_what_it_left_for() -> None:
    events = [
        {"kind": "phase", "phase": "draining", "at": 5.0, "text": "leaving", "cause": "no-edge"},
        {"kind": "action", "phase": "out", "at": 9.0, "text": "disable in the pool: no edge"},
    ]
    assert [word.cause for word in words_of(events, 0.0)] == ["no-edge"]


def test_a_write_that_repeats_what_stands_is_no_change() -> None:
    path = "/accounts/1/load_balancers/pools/mine"
    journal: list[dict[str, Any]] = [
        {"method": "PATCH", "path": path, "body": {"enabled": False}, "time": 101.0},
        {"method": "PATCH", "path": path, "body": {"enabled": True}, "time": 102.0},
        {"method": "PATCH", "path": path, "body": {"enabled": True}, "time": 103.0},
        {"method": "PATCH", "path": path, "body": {"origins": []}, "time": 104.0},
        {"method": "PATCH", "path": f"{path}-not", "body": {"enabled": False}, "time": 105.0},
        {"method": "POST", "path": path, "body": {"enabled": False}, "time": 106.0},
        {"method": "DELETE", "path": path, "body": None, "time": 107.0},
        {"method": "PATCH", "path": path, "body": {"enabled": False}, "time": 108.0},
    ]
    assert changes_of(journal, "mine", 100.0) == [Change(2.0, True), Change(8.0, False)]


def test_only_actions_on_the_membership_are_its_words() -> None:
    events = [
        {
            "kind": "action",
            "text": "disable in the pool: the engine is gone",
            "cause": "engine-gone",
            "at": 50.0,
        },
        {"kind": "action", "text": "restart engine", "cause": "engine-gone", "at": 51.0},
        {"kind": "phase", "text": "disable in the pool", "at": 52.0},
        {"kind": "action", "text": "enable in the pool", "at": 53.5},
    ]
    assert [(word.at, word.enabled, word.cause) for word in words_of(events, 40.0)] == [
        (10.0, False, "engine-gone"),
        (13.5, True, ""),
    ]
