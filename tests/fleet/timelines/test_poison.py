"""A prompt that kills whatever engine serves it, and a user who sends it again to whoever is left."""

from collections.abc import Callable
from itertools import groupby

import pytest
from tests.fleet.engine import Request
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.timelines.later import HOUR, all_well, busiest, lives
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    VLLM,
    bound,
    effective,
    engine_touches,
    engines,
    scene,
    sentence,
)

RETRY = 10.0


def poison(fleet: Fleet) -> bool:
    """The prompt goes where the edge sends it, and takes that engine along. Whether it found one."""
    pool = fleet.route(0)
    if pool is None:
        return False
    host = fleet.host(pool.name)
    found = host.engine.accepts()
    host.engine.ills.poisoned = True
    host.take(Request(work=5.0))
    host.engine.ills.poisoned = False
    return found


async def resends(fleet: Fleet, seconds: float) -> int:
    """How many engines it cost."""
    end, cost = fleet.now + seconds, 0
    while fleet.now < end:
        cost += poison(fleet)
        await fleet.run(RETRY)
    return cost


async def watch(fleet: Fleet, seen: list[bool], told: list[str]) -> None:
    """Once a second: whether nobody could answer, and what the first host says of itself."""
    while True:
        await fleet.run(1.0)
        seen.append(not any(effective(host.pool) and host.engine.would_answer() for host in fleet.hosts))
        told.append(sentence(fleet.hosts[0]))


def longest(seen: list[bool]) -> int:
    return max((len(list(run)) for nobody, run in groupby(seen) if nobody), default=0)


def story_of(
    seconds: float, seen: list[bool], told: list[str], record: Callable[[str, object], None], name: str
):
    async def story(fleet: Fleet) -> None:
        await fleet.run(20.0)
        fleet.spawn(watch(fleet, seen, told))
        cost = await resends(fleet, seconds)
        restarts = sum(len(lives(fleet, host)) for host in fleet.hosts)
        bound(record, f"{name}: restarts for {cost} engines killed", restarts, cost, "restarts")
        first = await fleet.until(lambda: any(effective(host.pool) for host in fleet.hosts), 300.0)
        bound(record, f"{name}: the first back once the user has given up", first, 90.0)
        for host in fleet.hosts:  # joins are capped; the operator, who knows the user, says so
            assert host.resume().ok
        bound(record, f"{name}: all back after `resume`", await all_well(fleet, 300.0), 120.0)

    return story


@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_a_poison_prompt_resent_every_10_s_never_leaves_all_out_for_long(kind, record_property):
    seen: list[bool] = []
    told: list[str] = []
    name = f"poison prompt, 10 min, {kind}"
    fleet = scene(Shape(engines(kind, 3), rate=0.1), story_of(600.0, seen, told, record_property, name))
    bound(record_property, f"{name}: nobody could answer, longest", longest(seen), 75.0)
    assert engine_touches(fleet) == [], "each supervisor restarts its own engine, and no agent adds to that"
    assert any("killed by signal 6" in text for text in told), "the root cause is named"


def test_a_poison_prompt_sent_three_times_costs_three_engines_and_nothing_more(record_property):
    """What the usual client does before it gives up."""
    seen: list[bool] = []
    told: list[str] = []
    name = "poison prompt, three tries"
    fleet = scene(Shape(engines(VLLM, 3), rate=0.1), story_of(25.0, seen, told, record_property, name))
    bound(record_property, f"{name}: nobody could answer, longest", longest(seen), 60.0)
    assert sum(len(lives(fleet, host)) for host in fleet.hosts) <= 3


def test_engines_that_only_the_agent_starts_are_not_started_in_a_storm(record_property):
    seen: list[bool] = []
    told: list[str] = []

    async def story(fleet: Fleet) -> None:
        for host in fleet.hosts:
            host.engine.supervised = False
        await fleet.run(20.0)
        fleet.spawn(watch(fleet, seen, told))
        await resends(fleet, 1200.0)
        took = await all_well(fleet, 2 * HOUR)
        bound(record_property, "poison prompt, no supervisor: all back after it", took, HOUR + 120.0)

    fleet = scene(Shape(engines(VLLM, 2), rate=0.1), story)
    worst = max(busiest(lives(fleet, host)) for host in fleet.hosts)
    assert set(engine_touches(fleet)) == {"start"}
    bound(record_property, "poison prompt, no supervisor: restarts an hour", worst, 3, "restarts")
    bound(record_property, "poison prompt, no supervisor: nobody could answer, longest", longest(seen), HOUR)
