"""`systemctl stop` of the engine by a person: held until a person starts it, never started by us."""

import pytest
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.timelines.later import HOUR, MEMBERSHIPS, all_well, said, untouched
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    VLLM,
    bound,
    effective,
    engines,
    label,
    leaves,
    out,
    scene,
)

from inferagent.model.phase import Phase


@pytest.mark.parametrize("membership", MEMBERSHIPS)
@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_it_stays_stopped_through_the_agent_and_comes_back_when_it_is_started(
    kind, membership, record_property
):
    name = f"stopped by a person, {kind}, {membership}"

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.engine.stop(person=True)
        left = await fleet.until(lambda: not host.verdict, 5.0)
        bound(record_property, f"{name}: left", left, 1.0)
        await fleet.until(lambda: out(host), 90.0)
        assert label(host) == "held"
        assert "stopped by a person" in said(host)
        host.kill_agent()
        host.start_agent()
        await fleet.run(HOUR / 4)
        assert not host.engine.alive
        assert label(host) == "held"
        host.engine.spawn()
        took = await all_well(fleet, 300.0)
        bound(record_property, f"{name}: back once it is started", took, 110.0)

    fleet = scene(Shape(engines(kind), membership, rate=0.05), story)
    host = fleet.hosts[0]
    assert untouched(fleet, host)
    assert host.saved.restarts == ()
    assert leaves(fleet, fleet.hosts[1]) == 0


def test_on_the_only_host_too_and_the_pool_stays_enabled(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.engine.stop(person=True)
        await fleet.run(HOUR / 4)
        assert label(host) == "held"
        assert host.pool.enabled
        assert not effective(host.pool)
        host.engine.spawn()
        took = await all_well(fleet, 300.0)
        bound(record_property, "stopped by a person on the only host: back once started", took, 60.0)

    fleet = scene(Shape(engines(VLLM, 1), rate=0.05, alone=True), story)
    assert untouched(fleet, fleet.hosts[0])
    assert fleet.count("push") == 0


def test_stopped_in_a_drain_of_the_operator_it_waits_for_both_words(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        assert host.drain().ok
        await fleet.run(5.0)
        host.engine.stop(person=True)
        await fleet.until(lambda: out(host), 60.0)
        assert host.resume().ok
        await fleet.run(300.0)
        assert label(host) == "held"
        assert not host.engine.alive, "`resume` is no word about an engine that a person stopped"
        host.engine.spawn()
        took = await all_well(fleet, 300.0)
        bound(record_property, "stopped by a person in a drain: back once started", took, 110.0)

    fleet = scene(Shape(engines(VLLM), rate=0.05), story)
    assert untouched(fleet, fleet.hosts[0])


def test_stopped_in_the_middle_of_its_own_repair_it_is_left_alone(record_property):
    """The agent was about to start what had died; the person's word comes later and counts."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        host.engine.supervised = False
        await fleet.run(20.0)
        for _ in range(2):
            host.engine.kill()
            await fleet.run(1.0)
        host.engine.stop(person=True)
        await fleet.run(HOUR / 4)
        assert label(host) == "held"
        assert not host.engine.alive
        host.engine.spawn()
        took = await all_well(fleet, 300.0)
        bound(record_property, "stopped by a person in a repair: back once started", took, 110.0)

    fleet = scene(Shape(engines(VLLM), rate=0.05), story)
    assert fleet.hosts[0].phase is Phase.SERVING
