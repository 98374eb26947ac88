"""Events in words."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from inferagent.cli.event_text import line_of, local, moment_of, said, shown, span
from inferagent.model.event import Episode, Event, EventKind, Evidence

EVIDENCE = Evidence(31.0, "unanswered", 12.4, 3, True, "", 4, 1, 2, 2.0)
EVENT = Event(
    wall="2026-11-22T12:03:11+01:00",
    boot="b",
    at=1.0,
    kind=EventKind.PHASE,
    text="draining, until out is proven: the engine hangs",
    phase="draining",
    cause="engine-hung",
    why="the engine hangs",
    evidence=EVIDENCE,
)
NUMBERS = (
    "[port accepts; still for 31 s; generation unanswered, begun 12 s before; 3 in flight; "
    "4 edge connections; 1 of 2 others effective, read 2 s before]"
)


@pytest.fixture(autouse=True)
def in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_line_has_local_time_phase_sentence_cause_and_numbers() -> None:
    assert line_of(EVENT) == (
        "2026-11-22 16:33:11  draining         draining, until out is proven: the engine hangs"
        f"  (engine-hung)  {NUMBERS}"
    )


def test_the_numbers_are_not_said_twice() -> None:
    assert NUMBERS not in line_of(EVENT, EVENT)
    assert NUMBERS in line_of(EVENT, replace(EVENT, kind=EventKind.MEMBERSHIP))


def test_what_is_not_judged_needs_no_numbers() -> None:
    event = replace(EVENT, kind=EventKind.LABEL, phase="out", label="warming", text="out, warming", unsaid=3)
    assert line_of(event) == (
        "2026-11-22 16:33:11  out/warming      out, warming  (engine-hung)  and 3 like it before"
    )


def test_a_cause_that_the_sentence_does_not_name_is_named() -> None:
    event = replace(EVENT, kind=EventKind.WOULD, text="would have drained", evidence=Evidence())
    assert line_of(event).endswith("would have drained, because the engine hangs  (engine-hung)")


def test_unknown_numbers_are_not_said() -> None:
    assert list(said(Evidence())) == []
    assert list(said(Evidence(exit="killed by signal 9", accepts=False, in_flight=0, still=0.0))) == [
        "killed by signal 9",
        "0 in flight",
    ]
    assert list(said(Evidence(accepts=False, generation="ok", peers=1, peers_effective=0))) == [
        "port refuses",
        "generation ok",
        "0 of 1 others effective",
    ]


@pytest.mark.parametrize("wall", ["", "yesterday", "2026-13-40"])
def test_a_time_that_is_none_is_left_as_it_is(wall: str) -> None:
    assert (local(wall), moment_of(wall)) == (wall, None)


@pytest.mark.parametrize(
    ("episode", "is_shown"),
    [
        (None, True),
        (Episode("watch", 1.0), False),
        (Episode("watch", 1.0, 60.0, open=False), False),
        (Episode("drain", 1.0), True),
        (Episode("drain", 1.0, 60.0), False),
        (Episode("drain", 1.0, 60.0, open=False), True),
    ],
)
def test_notes_in_between_are_not_shown(episode: Episode | None, is_shown: bool) -> None:
    assert shown(replace(EVENT, episode=episode)) is is_shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (40, "40 s"),
        (60, "1 min"),
        (183, "3 min 3 s"),
        (3600, "1 h"),
        (273600, "3 d 4 h"),
        (86400 + 59, "1 d"),
    ],
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words
