"""Timelines of the user's own checks: what they take out, what they never do, and who comes back when."""

import pytest
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.ports import CHECK_EVERY
from tests.fleet.timelines.scene import (
    VLLM,
    Eye,
    bound,
    document,
    effective,
    engine_touches,
    engines,
    findings,
    leaves,
    lost,
    out,
    scene,
    sentence,
    terms,
    whole,
)

from inferagent.model.check import Check, Effect
from inferagent.model.phase import Phase

HOUR = 3600.0
WHILE = 600.0
FALLS = 2


def shape(effect: Effect, hosts: int = 2, **more: object) -> Shape:
    """Few users: what is told here needs no load."""
    checks = (Check("disk", effect, "/usr/local/bin/disk-ok"),)
    return Shape(engines(VLLM, hosts), rate=0.05, terms=terms(checks=checks), **more)  # type: ignore[arg-type]


def test_a_check_that_drains_takes_its_host_out_and_brings_it_back(record_property):
    async def story(fleet: Fleet) -> None:
        host, other = fleet.hosts
        await fleet.until(lambda: whole(fleet), 60.0)
        eye = Eye.attach(fleet)
        host.checks["disk"] = "unhealthy"
        left = await fleet.until(lambda: host.phase is Phase.DRAINING, HOUR)
        bound(record_property, "check drains: left", left, FALLS * CHECK_EVERY + 5.0)
        await fleet.until(lambda: out(host), 60.0)
        await fleet.run(5.0)
        assert "check disk: it says unhealthy" in sentence(host)
        assert document(host).cure == "see /usr/local/bin/disk-ok"
        assert document(host).exit_code == 4
        await fleet.run(WHILE)
        assert out(host)
        assert not host.pool.enabled
        assert engine_touches(fleet) == [], "nothing is repaired"
        host.checks["disk"] = "healthy"
        back = await fleet.until(lambda: whole(fleet), HOUR)
        bound(record_property, "check drains: back", back, CHECK_EVERY + 60.0)
        assert (eye.seconds_unreachable, lost(fleet)) == (0, [])
        assert leaves(fleet, other) == 0

    scene(shape(Effect.DRAIN), story)


def test_one_bad_word_moves_nobody():
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(90.0)
        for _ in range(5):
            host.checks["disk"] = "unhealthy"
            await fleet.run(CHECK_EVERY)
            host.checks["disk"] = "healthy"
            await fleet.run(CHECK_EVERY)

    assert leaves(scene(shape(Effect.DRAIN), story)) == 0


@pytest.mark.parametrize(
    ("says", "effect", "seconds"),
    [
        ("hangs", Effect.DRAIN, HOUR),
        ("hangs", Effect.DEGRADE, WHILE),
        ("unknown", Effect.DRAIN, WHILE),
        ("unknown", Effect.TELL, WHILE),
    ],
)
def test_a_check_that_cannot_tell_for_an_hour_drains_nobody_and_is_said(says, effect, seconds):
    async def story(fleet: Fleet) -> None:
        await fleet.run(90.0)
        for host in fleet.hosts:
            host.checks["disk"] = says
        await fleet.run(seconds)
        assert findings(fleet.hosts[0]) == {"check-unknown:disk"}
        assert document(fleet.hosts[0]).exit_code == 0
        assert whole(fleet)

    assert leaves(scene(shape(effect), story)) == 0


def test_a_check_that_never_could_tell_keeps_no_host_from_joining(record_property):
    async def story(fleet: Fleet) -> None:
        for host in fleet.hosts:
            host.checks["disk"] = "hangs"
        joined = await fleet.until(lambda: whole(fleet), 300.0)
        bound(record_property, "check hangs from the start: joined", joined, 60.0)

    scene(shape(Effect.DRAIN, serving=False), story)


def test_a_check_that_degrades_yields_to_the_better_endpoint_and_comes_back_when_it_is_gone(record_property):
    async def story(fleet: Fleet) -> None:
        first, second = fleet.hosts
        await fleet.until(lambda: whole(fleet), 60.0)
        eye = Eye.attach(fleet)
        for host in fleet.hosts:
            host.checks["disk"] = "unhealthy"
        left = await fleet.until(lambda: out(second), HOUR)
        bound(record_property, "check degrades: the lower rank is out", left, FALLS * CHECK_EVERY + 60.0)
        await fleet.run(WHILE)
        assert effective(first.pool), "nobody of higher rank is there for it"
        assert document(first).exit_code == 1
        assert "check disk: it says unhealthy" in sentence(first)
        first.engine.ills.load_stuck = True
        first.engine.kill()
        called = await fleet.until(lambda: effective(second.pool), 120.0)
        bound(record_property, "check degrades: called back", called, 90.0)
        assert eye.fewest_effective <= 1
        first.engine.ills.load_stuck = False
        for host in fleet.hosts:
            host.checks["disk"] = "healthy"
        await fleet.until(lambda: whole(fleet), HOUR)

    fleet = scene(shape(Effect.DEGRADE), story)
    assert engine_touches(fleet, fleet.hosts[1]) == []


@pytest.mark.parametrize("says", ["unhealthy", "degraded"])
def test_a_check_that_tells_is_said_and_moves_nobody(says):
    async def story(fleet: Fleet) -> None:
        await fleet.run(90.0)
        for host in fleet.hosts:
            host.checks["disk"] = says
        await fleet.run(WHILE)
        assert "check:disk" in findings(fleet.hosts[0])
        assert document(fleet.hosts[0]).exit_code == 1

    assert leaves(scene(shape(Effect.TELL), story)) == 0


def test_the_only_host_leaves_by_its_verdict_alone():
    async def story(fleet: Fleet) -> None:
        (host,) = fleet.hosts
        await fleet.run(90.0)
        host.checks["disk"] = "unhealthy"
        await fleet.until(lambda: not host.verdict, 2 * CHECK_EVERY + 5.0)
        await fleet.run(300.0)
        assert host.pool.enabled
        host.checks["disk"] = "healthy"
        await fleet.until(lambda: whole(fleet), CHECK_EVERY + 60.0)

    scene(shape(Effect.DRAIN, hosts=1, alone=True), story)


@pytest.mark.parametrize("away", ["killed", "rebooted"])
def test_the_next_agent_admits_nobody_before_the_check_has_spoken(away):
    """It left for the check, comes back knowing nothing, and the check hangs: unknown admits nobody."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(90.0)
        host.checks["disk"] = "unhealthy"
        await fleet.until(lambda: out(host), 300.0)
        host.checks["disk"] = "hangs"
        if away == "killed":
            host.kill_agent()
            await fleet.run(30.0)
            host.start_agent()
        else:
            host.power_off()
            await fleet.run(60.0)
            host.power_on()
            host.engine.spawn()
        await fleet.run(WHILE)
        assert out(host)
        assert not host.pool.enabled
        assert {"check:disk", "check-unknown:disk"} <= findings(host)
        host.checks["disk"] = "healthy"
        await fleet.until(lambda: whole(fleet), HOUR)

    scene(shape(Effect.DRAIN), story)


def test_a_host_that_boots_ill_does_not_join_for_the_time_of_a_second_word():
    async def story(fleet: Fleet) -> None:
        await fleet.run(5.0)
        for host in fleet.hosts:
            host.checks["disk"] = "unhealthy"
            host.kill_agent()
            host.start_agent()
        await fleet.run(300.0)
        assert out(*fleet.hosts)

    fleet = scene(shape(Effect.DRAIN, serving=False), story)
    assert fleet.of("arrow") == []
