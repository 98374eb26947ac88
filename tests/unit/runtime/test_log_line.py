"""The log line of a Status: its level, and what is no news."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from structlog.testing import capture_logs
from tests.support.agent import Agent
from tests.support.virtual import run
from tests.unit.runtime.test_report import ILL, scene

from inferagent.model.phase import Label, Phase
from inferagent.model.status import Status, StatusFinding
from inferagent.runtime.log_line import log_line
from inferagent.runtime.report import status

UNWELL = StatusFinding("engine-gone", "engine", "unhealthy", "gone", "", "")


def document(phase: Phase = Phase.SERVING, label: Label | None = None, **changes: object) -> Status:
    return replace(status(scene(phase, label)), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "level"),
    [
        (document(), "info"),
        (document(exit_code=1), "warning"),
        (document(Phase.JOINING), "info"),
        (document(Phase.DRAINING, findings=(UNWELL,)), "warning"),
        (document(Phase.OUT, Label.RECOVERING, findings=(UNWELL,)), "warning"),
        (document(Phase.OUT, Label.HELD, exit_code=0, findings=(UNWELL,)), "info"),
        (document(Phase.OUT, Label.WARMING), "info"),
        (document(Phase.OUT, Label.NEEDS_OPERATOR), "error"),
        (document(Phase.OUT, Label.WAITING, root_component="gpu"), "error"),
    ],
)
def test_the_level_says_who_is_needed(made: Status, level: str) -> None:
    assert log_line(made).level == level


def test_what_changes_by_itself_makes_no_new_line() -> None:
    one = status(scene(Phase.SERVING))
    later = replace(one, seconds=99.0, in_flight_tunnel=7, membership=replace(one.membership, age=9.0))
    assert log_line(one).same(log_line(later))
    assert not log_line(one).same(log_line(replace(one, sentence="draining")))
    assert not log_line(one).same(log_line(replace(one, hold="new disk")))
    assert not log_line(one).same(log_line(replace(one, findings=(UNWELL,))))
    assert not log_line(one).same(None)


def test_it_carries_codes() -> None:
    line = log_line(replace(status(scene(Phase.OUT, Label.RECOVERING, (ILL,))), findings=(UNWELL,)))
    assert line.keys() == {
        "phase": "out",
        "label": "recovering",
        "cause": "engine-gone",
        "findings": ["engine-gone"],
    }


def test_an_agent_says_each_change_once() -> None:
    async def story() -> list[tuple[object, ...]]:
        agent = Agent()
        with capture_logs() as lines:
            async with agent.running(40):
                agent.engine.die()
                await asyncio.sleep(120)
        return [
            (line["event"], line["cause"], tuple(line["findings"])) for line in lines if "findings" in line
        ]

    said = run(story())
    assert len(said) >= 5
    assert all(one != other for one, other in pairwise(said)), "no line twice in a row"
    assert sum(str(event).startswith("draining") for event, _, _ in said) <= 3


@pytest.mark.parametrize(
    ("one", "later"),
    [
        ("no edge connection for 88 s", "no edge connection for 93 s"),
        ("draining, 3 in flight (tunnel 2, LAN 1)", "draining, 2 in flight (tunnel 1, LAN 1)"),
        (
            "out, warming: 1.0/40.1 GB, 30 MB/s, about 20 min",
            "out, warming: 2.0/40.1 GB, 40 MB/s, about 15 min",
        ),
    ],
)
def test_an_age_a_count_or_progress_makes_no_new_line(one: str, later: str) -> None:
    first, second = document(sentence=one), document(sentence=later)
    assert log_line(first).same(log_line(second))
    assert not log_line(first).same(log_line(document(sentence="serving")))
