"""A day of the same trouble again and again: an engine that hangs only under load, and a crash loop.

The hosts look every 6 s here instead of every 2 s, so that a day costs less; no bound changes by more.
"""

import asyncio

import pytest
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.later import DAY, HOUR, all_well, arrow_times, busiest, lives, long_while
from tests.fleet.timelines.scene import (
    VLLM,
    Eye,
    bound,
    engine_touches,
    engines,
    leaves,
    lost,
    scene,
    terms,
)

LOOP = 180.0
SELDOM = terms(pace_look=6.0)

pytestmark = pytest.mark.timeout(600)


async def crash_loop(fleet: Fleet, host: Host) -> None:
    """Every life of the engine ends when it is three minutes old."""
    while True:
        await fleet.run(1.0)
        if host.engine.alive and host.engine.age >= LOOP:
            host.engine.kill()


def test_an_engine_that_hangs_only_under_load_does_not_flap_for_a_day(record_property):
    name = "hangs under load, 24 h"

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        eye = Eye.attach(fleet)
        host.engine.ills.hangs_under_load = 60.0
        await fleet.run(2 * HOUR)
        await long_while(fleet, host, DAY - 2 * HOUR)
        assert eye.seconds_none == 0
        times = arrow_times(fleet, host)
        bound(record_property, f"{name}: arrows in the busiest hour", busiest(times), 16, "arrows")
        bound(record_property, f"{name}: arrows in the day", len(times), 120, "arrows")
        bound(record_property, f"{name}: restarts an hour", busiest(lives(fleet, host)), 3, "restarts")
        bound(
            record_property, f"{name}: lost of {fleet.sent}", len(lost(fleet)), fleet.sent / 100, "requests"
        )
        host.engine.ills.hangs_under_load = 0.0
        bound(
            record_property, f"{name}: back once it is cured", await all_well(fleet, 2 * HOUR), HOUR + 120.0
        )

    fleet = scene(Shape(engines(VLLM), rate=0.4, work=6.0, terms=SELDOM), story)
    assert leaves(fleet, fleet.hosts[1]) == 0
    assert engine_touches(fleet, fleet.hosts[1]) == []


def test_the_only_host_whose_engine_hangs_under_load_is_restarted_within_its_budget(record_property):
    name = "the only host hangs under load, 3 h"

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        host.engine.ills.hangs_under_load = 60.0
        await fleet.run(3 * HOUR)
        times = arrow_times(fleet, host)
        bound(record_property, f"{name}: arrows in the busiest hour", busiest(times), 16, "arrows")
        bound(record_property, f"{name}: restarts an hour", busiest(lives(fleet, host)), 3, "restarts")
        assert host.pool.enabled
        host.engine.ills.hangs_under_load = 0.0
        bound(
            record_property, f"{name}: back once it is cured", await all_well(fleet, 2 * HOUR), HOUR + 120.0
        )

    fleet = scene(Shape(engines(VLLM, 1), rate=0.4, work=6.0, terms=SELDOM, alone=True), story)
    assert fleet.count("push") == 0


def test_a_crash_loop_takes_no_more_than_12_arrows_an_hour_for_a_day(record_property):
    name = "crash loop of 3 min, 24 h"

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        eye = Eye.attach(fleet)
        fleet.spawn(crash_loop(fleet, host))
        await fleet.run(HOUR)
        await long_while(fleet, host, DAY - HOUR)
        assert eye.seconds_none == 0
        times = arrow_times(fleet, host)
        bound(record_property, f"{name}: arrows in the day", len(times), 120, "arrows")
        bound(record_property, f"{name}: arrows in the busiest hour", busiest(times), 12, "arrows")
        bound(
            record_property, f"{name}: lost of {fleet.sent}", len(lost(fleet)), fleet.sent / 100, "requests"
        )

    fleet = scene(Shape(engines(VLLM), rate=0.05, terms=SELDOM), story)
    assert leaves(fleet, fleet.hosts[1]) == 0
    assert engine_touches(fleet) == []


def test_a_crash_loop_that_ends_is_over_within_the_hour(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        loop = asyncio.create_task(crash_loop(fleet, host))
        await fleet.run(HOUR)
        loop.cancel()
        took = await all_well(fleet, 2 * HOUR)
        bound(record_property, "crash loop of an hour: back after its end", took, HOUR + 120.0)

    fleet = scene(Shape(engines(VLLM), rate=0.05, terms=SELDOM), story)
    assert leaves(fleet, fleet.hosts[1]) == 0


def test_the_only_host_in_a_crash_loop_serves_between_two_crashes(record_property):
    """S9 spaces its joins by 60 s only: four arrows a life, because some answers are better than none.

    Every hour is like the first, so that six are told instead of a day.
    """
    name = "the only host in a crash loop of 3 min, 6 h"

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        fleet.spawn(crash_loop(fleet, host))
        await fleet.run(6 * HOUR)
        lives_an_hour = HOUR / (LOOP + 3.0)
        arrows = busiest(arrow_times(fleet, host))
        bound(
            record_property, f"{name}: arrows in the busiest hour", arrows, 4 * (lives_an_hour + 1), "arrows"
        )
        bound(record_property, f"{name}: lost of {fleet.sent}", len(lost(fleet)), fleet.sent / 3, "requests")
        assert host.pool.enabled

    fleet = scene(Shape(engines(VLLM, 1), rate=0.05, terms=SELDOM, alone=True), story)
    assert fleet.count("push") == 0
    assert engine_touches(fleet) == []
