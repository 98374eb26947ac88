"""`events --would`: the sum of the episodes."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from inferagent.cli.would import observing, summary
from inferagent.model.event import Episode, Event, EventKind

NOW = datetime.fromisoformat("2026-11-22T12:00:00+00:00").astimezone()
DAY = 86400.0


def note(
    deed: str, seconds: float, began: float = 0.0, code: str = "", ago: float = 0.0, **more: object
) -> Event:
    wall = (NOW - timedelta(seconds=ago)).isoformat(timespec="seconds")
    why = {"engine-hung": "the engine hangs: nothing has moved for 12 s", "no-edge": "no edge"}.get(code, "")
    episode = Episode(deed, began, seconds, open=bool(more.pop("open", False)))
    return replace(Event(wall, "b", 0.0, EventKind.WOULD, "", cause=code, why=why, episode=episode), **more)


WATCHED = note("watch", 7 * DAY, open=True)
LAST = f"{NOW:%Y-%m-%d %H:%M:%S}"


def test_nothing_watched_is_nothing_to_say() -> None:
    assert summary([]) == []
    assert summary([replace(WATCHED, episode=None)]) == []


def test_a_host_that_was_well_would_have_been_left_alone() -> None:
    events = [note("watch", 0.0, open=True), note("watch", 3 * DAY + 4 * 3600, open=True)]
    assert summary(events) == ["would have done nothing in 3 d 4 h of watching"]
    assert summary(events, running=3600.0) == ["would have done nothing in 3 d 5 h of watching"]


def test_the_lives_of_the_agent_are_added_up() -> None:
    second = note("watch", DAY, began=1e6)
    other_boot = note("watch", DAY, boot="c")
    assert summary([WATCHED, second, other_boot])[0] == "would have done nothing in 9 d of watching"


def test_drains_are_counted_by_cause_and_repairs_after_them() -> None:
    events = [
        WATCHED,
        note("restart engine", 20.0, 3.0, "engine-hung"),
        note("drain", 0.0, 1.0, "engine-hung", open=True),
        note("drain", 25.0, 1.0, "engine-hung"),
        note("drain", 15.0, 900.0, "engine-hung"),
        note("drain", 60.0, 2000.0, "no-edge", open=True),
    ]
    *lines, how = summary(events)
    assert lines == [
        f"would have drained 2× in 7 d: 40 s, the engine hangs (engine-hung), last {LAST}",
        f"would have drained 1× in 7 d: 1 min, no edge (no-edge), last {LAST}",
        f"would have restarted the engine 1× in 7 d: 20 s, the engine hangs (engine-hung), last {LAST}",
    ]
    assert how.startswith("counted: drains and repairs")


def test_a_repair_without_a_cause_is_said_without() -> None:
    (line, _) = summary([WATCHED, note("start engine", 20.0)])
    assert line == f"would have started the engine 1× in 7 d: 20 s, last {LAST}"


def test_since_counts_what_ended_after_it_and_watching_only_from_then_on() -> None:
    old = note("drain", 25.0, 1.0, "engine-hung", ago=2 * DAY)
    events = [old, note("drain", 5.0, 2.0, "no-edge"), WATCHED]
    (line, _) = summary(events, since=NOW - timedelta(days=1))
    assert line.startswith("would have drained 1× in 1 d: 5 s")
    gone = replace(WATCHED, wall=old.wall)
    assert summary([old, gone], since=NOW - timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("event", "seconds"),
    [
        (note("watch", 60.0, open=True, ago=50.0), 50.0),
        (note("watch", 60.0, open=True, ago=-50.0), 0.0),
        (note("watch", 60.0, open=False, ago=50.0), 0.0),
        (note("watch", 60.0, open=True, ago=50.0, boot="a"), 0.0),
        (note("drain", 60.0, open=True, ago=50.0), 0.0),
        (note("watch", 60.0, open=True, wall="?"), 0.0),
    ],
)
def test_an_agent_that_observes_now_goes_on_from_its_last_note(event: Event, seconds: float) -> None:
    assert observing([event], "b", NOW) == seconds
