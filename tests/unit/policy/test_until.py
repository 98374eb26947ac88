"""When a hold ends by itself: by the boot clock, and by the wall clock after a boot."""

import pytest

from inferagent.model.desired import Until
from inferagent.policy.until import JUMP, PATIENCE, clock_time, ends_after, kept, left, span

NOON = "2026-11-22T12:00:00+01:00"
TWO_HOURS = 7200.0
UNTIL = ends_after(TWO_HOURS, 1000.0, "boot-1", NOON)


def test_the_end_stands_on_both_clocks() -> None:
    assert Until("boot-1", 8200.0, "2026-11-22T14:00:00+01:00", TWO_HOURS) == UNTIL


@pytest.mark.parametrize(
    "wall", [NOON, "2026-11-21T12:00:00+01:00", "2026-11-23T12:00:00+01:00", "", "nonsense"]
)
def test_within_its_boot_the_wall_clock_says_nothing(wall: str) -> None:
    assert left(UNTIL, 1000.0, "boot-1", wall) == TWO_HOURS
    assert left(UNTIL, 8199.0, "boot-1", wall) == 1.0
    assert left(UNTIL, 8200.0, "boot-1", wall) == left(UNTIL, 9000.0, "boot-1", wall) == 0.0


@pytest.mark.parametrize(
    ("wall", "seconds"),
    [
        ("2026-11-22T13:00:00+01:00", 3600.0),
        ("2026-11-22T12:00:00+00:00", 3600.0),  # another zone
        ("2026-11-22T14:00:01+01:00", 0.0),
        ("2026-11-23T13:00:00+01:00", 0.0),
        ("2026-11-21T13:00:00+01:00", TWO_HOURS),  # set back by a day: no longer than was left
        ("1970-01-01T00:00:00+00:00", TWO_HOURS),  # a host without a clock of its own
        ("2026-11-22T13:00:00", TWO_HOURS),  # no zone: nobody knows
        ("", TWO_HOURS),
    ],
)
def test_in_a_later_boot_the_wall_clock_rules_within_bounds(wall: str, seconds: float) -> None:
    assert left(UNTIL, PATIENCE, "boot-2", wall) == seconds
    assert left(UNTIL, 30.0, "boot-2", wall) == max(seconds, PATIENCE - 30.0), "it may still be set right"


def test_a_young_boot_writes_nothing_down() -> None:
    assert kept(UNTIL, 30.0, "boot-2", NOON) is UNTIL


def test_a_boot_that_has_lasted_takes_the_end_on_its_own_clock() -> None:
    taken = kept(UNTIL, 200.0, "boot-2", "2026-11-22T13:00:00+01:00")
    assert taken == Until("boot-2", 3800.0, "2026-11-22T14:00:00+01:00", 3600.0)
    assert left(taken, 300.0, "boot-2", "1970-01-01T00:00:00+00:00") == 3500.0


@pytest.mark.parametrize(
    ("wall", "end"),
    [
        ("2026-11-21T13:00:00+01:00", "2026-11-21T14:00:00+01:00"),
        ("2026-11-23T13:00:00+01:00", "2026-11-23T14:00:00+01:00"),
    ],
)
def test_a_jump_of_the_wall_clock_is_written_down_for_the_next_boot(wall: str, end: str) -> None:
    after = kept(UNTIL, 4600.0, "boot-1", wall)
    assert after == Until("boot-1", 8200.0, end, 3600.0)
    assert kept(after, 4605.0, "boot-1", wall) is after, "once"
    assert left(after, PATIENCE, "boot-2", wall) == 3600.0


def test_two_clocks_that_part_slowly_are_no_jump() -> None:
    assert kept(UNTIL, 1000.0 + JUMP - 1.0, "boot-1", NOON) is UNTIL
    assert kept(UNTIL, 1000.0, "boot-1", "nonsense") is UNTIL


def test_where_there_is_no_time_the_boot_clock_alone_counts() -> None:
    until = ends_after(60.0, 1000.0, "boot-1", "no time")
    assert until.wall == ""
    assert left(until, 1030.0, "boot-1", "no time") == 30.0
    assert left(until, PATIENCE, "boot-2", NOON) == 60.0


@pytest.mark.parametrize(
    ("moment", "day", "text"),
    [
        ("2026-11-22T18:30:00+01:00", NOON, "18:30"),
        ("2026-11-23T00:30:00+01:00", NOON, "2026-11-23 00:30"),
        ("", "", ""),
    ],
)
def test_a_moment_for_a_person(moment: str, day: str, text: str) -> None:
    assert clock_time(moment, day) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (40.4, "40s"),
        (300, "5m"),
        (345, "5m"),
        (7200, "2h"),
        (7800, "2h 10m"),
        (86400, "1d"),
        (90000, "1d 1h"),
    ],
)
def test_a_span_for_a_person(seconds: float, text: str) -> None:
    assert span(seconds) == text
