"""kill -9 of a real agent in the middle of a drain, with real children: order kept, phase resumed.

A few rounds; `python -m tests.scenario.killed_agent` plays as many as it is told.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.scenario.killed_agent import summary
from tests.support.killing import Played, play
from tests.support.killing_judge import Evidence, Terms, of_drain, of_engine_kill
from tests.support.killing_plan import Round, plan
from tests.support.killing_world import TERMS as DRAINED
from tests.support.killing_world import TERMS_OF_KILL

SEED = 117  # points of every kind, none killed twice: this is to be short
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("killed")
    return asyncio.run(play(folder, SEED, 3, 1, lambda _: None, measure=False))


def broken(rounds: list[Round]) -> list[str]:
    return [one.line() for one in rounds if one.breaches]


def test_a_drain_goes_on_with_the_next_agent_and_nobody_notices(
    played: Played, record_property: Callable[[str, object], None]
) -> None:
    record_property("figure", summary("drains by the operator", played.drains, DRAINED.bound))
    assert len(played.drains) == 3
    assert broken(played.drains) == []


def test_a_host_whose_engine_was_killed_returns_with_the_next_agent(
    played: Played, record_property: Callable[[str, object], None]
) -> None:
    record_property("figure", summary("kills of the engine", played.kills, TERMS_OF_KILL.bound))
    assert len(played.kills) == 1
    assert broken(played.kills) == []


# the judge, on what it must see

TERMS = Terms(settle=1.0, quiet=1.0, cache=0.3, bound=8.0)
DRAIN = Evidence(
    began=100.0,
    writes=((100.1, False), (101.0, False)),
    ready=((90.0, 200), (100.02, 503)),
    lives=((103.0, "stop", 7), (103.5, "end", 7)),
    engine=((90.0, 7), (103.6, 0)),
    connector=((90.0, 8),),
    phases=((101.0, "draining"), (103.0, "out")),
    answered=((99.9, 100.4), (100.5, 101.8)),
    found="draining",
    left_at=(5.0, 5.0),
    took=2.0,
)
BAD_DRAINS: dict[str, tuple[dict[str, object], str]] = {
    "enabled": ({"writes": ((100.1, False), (102.0, True))}, "enabled after the drain had begun"),
    "never disabled": ({"writes": ()}, "never disabled"),
    "disabled late": ({"writes": ((102.5, False),)}, "stopped 0.50 s after it was disabled"),
    "verdict back": (
        {"ready": ((90.0, 200), (100.0, 503), (101.0, 200), (101.1, 503))},
        "ready URL 200 → 503 → 200 → 503",
    ),
    "verdict late": ({"ready": ((90.0, 200), (103.2, 503))}, "stopped before the ready URL said 503"),
    "ready program gone": ({"ready": ((90.0, 200), (100.0, 503), (101.0, 0))}, "did not answer"),
    "not quiet": ({"answered": ((101.5, 102.6),)}, "requests ended at -0.40 s"),
    "cut": ({"answered": ((102.5, 103.4),)}, "requests ended at +0.40 s"),
    "not stopped": ({"lives": ()}, "the engine's lives: nothing"),
    "a second engine": (
        {"lives": ((103.0, "stop", 7), (103.5, "end", 7), (103.6, "start", 9))},
        "the engine's lives: stop, end, start",
    ),
    "engine died with the agent": ({"engine": ((90.0, 7), (100.5, 0), (101.0, 9))}, "pids 7 → 0 → 9"),
    "connector died with the agent": ({"connector": ((90.0, 8), (100.5, 0), (101.0, 9))}, "8 → 0 → 9"),
    "serving again": ({"phases": ((101.0, "serving"), (102.0, "out"))}, "then serving → out"),
    "from the beginning": (
        {"found": "out", "phases": ((101.0, "draining"), (103.0, "out"))},
        "phases out at the kill, then draining → out",
    ),
    "no word": ({"phases": ()}, "phases draining at the kill"),
    "left anew": ({"left_at": (5.0, 9.0)}, "left anew at 9.0, before at 5.0"),
    "no hold": ({"held": False}, "the hold is gone"),
    "too long": ({"took": 8.1}, "took 8.1 s, at most 8.0 s"),
    "failed": ({"failed": ((100.5, "connection of ?"),)}, "failed: connection of ? at 0.50 s"),
}


def test_a_drain_that_kept_everything_is_let_be() -> None:
    assert of_drain(DRAIN, TERMS) == []
    out = replace(DRAIN, found="out", phases=((103.1, "out"),))
    assert of_drain(out, TERMS) == []
    unsaved = replace(DRAIN, found="serving", left_at=(None, 9.0))
    assert of_drain(unsaved, TERMS) == []
    begun = {"ready": ((90.0, 200), (101.3, 503)), "writes": ((101.4, False),)}
    not_begun = replace(unsaved, phases=((101.2, "serving"), (101.3, "draining"), (103.0, "out")), **begun)
    assert of_drain(not_begun, TERMS) == [], "the hold was on disk, and nothing done about it yet"


@pytest.mark.parametrize("name", BAD_DRAINS)
def test_what_a_drain_did_not_keep_is_found(name: str) -> None:
    fields, said = BAD_DRAINS[name]
    found = of_drain(replace(DRAIN, **fields), TERMS)
    assert any(said in text for text in found), found


KILL = Evidence(
    began=100.0,
    writes=((100.1, False), (106.0, True)),
    ready=((90.0, 200), (100.02, 503), (105.9, 200)),
    lives=((103.0, "start", 9),),
    engine=((90.0, 7), (100.0, 0), (103.0, 9)),
    connector=((90.0, 8),),
    routed=((90.0, True), (100.4, False), (107.0, True)),
    phases=((101.0, "draining"), (102.0, "out"), (105.8, "joining"), (107.0, "serving")),
    failed=((100.1, "connection of ?"), (100.6, "status 502 of ?")),
    took=6.0,
)
BAD_KILLS: dict[str, tuple[dict[str, object], str]] = {
    "in too early": ({"writes": ((100.1, False), (102.0, True))}, "before there was an engine"),
    "verdict too early": ({"ready": ((90.0, 200), (100.1, 503), (102.9, 200))}, "before there was an engine"),
    "joined too early": ({"phases": ((101.0, "joining"),)}, "before there was an engine"),
    "out again": ({"writes": ((100.1, False), (106.0, True), (107.0, False))}, "writes [False, True, False]"),
    "never out": ({"writes": ()}, "writes []"),
    "verdict swings": (
        {"ready": ((90.0, 200), (100.1, 503), (104.0, 200), (104.1, 503), (105.0, 200))},
        "200 → 503 → 200 → 503 → 200",
    ),
    "two engines": ({"lives": ((103.0, "start", 9), (104.0, "start", 10))}, "lives: start, start"),
    "late failure": (
        {"failed": ((100.8, "status 502 of ?"),)},
        "failed although out: status 502 of ? at 0.80",
    ),
    "never left": ({"routed": ((90.0, True),)}, "the edge never left it"),
}


def test_a_return_that_kept_everything_is_let_be() -> None:
    assert of_engine_kill(KILL, TERMS) == []


@pytest.mark.parametrize("name", BAD_KILLS)
def test_what_a_return_did_not_keep_is_found(name: str) -> None:
    fields, said = BAD_KILLS[name]
    found = of_engine_kill(replace(KILL, **fields), TERMS)
    assert any(said in text for text in found), found


def test_the_points_lie_in_every_part_of_a_drain_and_at_each_short_moment() -> None:
    points = plan(random.Random(1), 24, 2.4, {"verdict": 0.003, "stop": 0.5})
    assert len(points) == 24
    at = sorted(point.after for point in points if point.since == "begin")
    assert [int(after / (2.4 / 20)) for after in at] == list(range(20))
    assert [sum(point.since == since for point in points) for since in ("verdict", "stop")] == [2, 2]
    assert points == plan(random.Random(1), 24, 2.4, {"verdict": 0.003, "stop": 0.5})
    assert {point.since for point in plan(random.Random(1), 3, 2.4, {"verdict": 0.003, "stop": 0.5})} == {
        "verdict",
        "stop",
        "begin",
    }
