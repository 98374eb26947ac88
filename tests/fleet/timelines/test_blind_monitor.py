"""A monitor that asks nobody for three of its intervals: what the edge believes is old, nobody acts on it."""

import pytest
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.timelines.later import OWN_POOL, PULL, all_well, routed, untouched
from tests.fleet.timelines.scene import (
    VLLM,
    Eye,
    bound,
    engines,
    findings,
    leaves,
    lost,
    out,
    scene,
    sentence,
)

from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase

ASKED = (OWN_POOL, PULL)
INTERVAL = 15.0
BLIND = 3 * INTERVAL


@pytest.mark.parametrize("minutes", [BLIND / 60.0, 30.0])
@pytest.mark.parametrize("membership", ASKED)
def test_nobody_leaves_or_joins_because_the_monitor_asks_nobody(membership, minutes, record_property):
    async def story(fleet: Fleet) -> None:
        eye = Eye.attach(fleet)
        await fleet.run(20.0)
        fleet.edge.monitor.blind = True
        await fleet.run(60.0 * minutes)
        fleet.edge.monitor.blind = False
        await all_well(fleet, 10.0)
        assert eye.fewest_effective == 2
        name = f"monitor blind for {60 * minutes:.0f} s, {membership}: arrows"
        bound(record_property, name, fleet.count("arrow"), 0, "arrows")

    fleet = scene(Shape(engines(VLLM), membership, rate=0.1, interval=INTERVAL), story)
    assert lost(fleet) == []


def test_an_own_pool_leaves_by_its_write_and_comes_back_when_the_monitor_asks_again(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        fleet.edge.monitor.blind = True
        assert host.drain().ok
        took = await fleet.until(lambda: out(host), 60.0)
        bound(record_property, "monitor blind, own-pool: out by the write", took, 25.0)
        await fleet.run(max(fleet.edge.lags))
        assert routed(fleet) == {"gpu-1"}
        assert host.resume().ok
        await fleet.run(BLIND)
        assert host.phase is Phase.JOINING
        assert sentence(host) == "joining: waiting for the monitor"
        assert routed(fleet) == {"gpu-1"}, "enabled alone is not receiving"
        fleet.edge.monitor.blind = False
        back = await all_well(fleet, 60.0)
        bound(record_property, "monitor blind, own-pool: in once it asks", back, INTERVAL + 10.0)

    fleet = scene(Shape(engines(VLLM), OWN_POOL, rate=0.2, interval=INTERVAL), story)
    assert lost(fleet) == []
    assert leaves(fleet) == 1


@pytest.mark.parametrize("consecutive", [1, 2])
def test_pull_waits_for_a_monitor_that_has_not_asked_and_cuts_nobody(consecutive, record_property):
    """The verdict is 503 and nobody has asked for it: requests go on coming, are answered, and are said."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        fleet.edge.monitor.blind = True
        assert host.drain(last=True, stop_engine=True).ok
        await fleet.run(BLIND + 60.0)
        assert "gpu-0" in routed(fleet)
        assert host.engine.alive
        assert host.phase is Phase.DRAINING
        assert "still-arriving" in findings(host) or "leaving the pool" in sentence(host)
        await fleet.run(120.0)
        assert host.engine.alive
        fleet.edge.monitor.blind = False
        gone = await fleet.until(lambda: not host.engine.alive, 300.0)
        name = f"monitor blind, pull, {consecutive} in a row: engine stopped once it asks"
        bound(record_property, name, gone, (consecutive + 1) * INTERVAL + 45.0)
        assert host.resume().ok
        await all_well(fleet, 300.0)

    shape = Shape(engines(VLLM), PULL, rate=2.0, interval=INTERVAL, consecutive=consecutive)
    fleet = scene(shape, story)
    assert lost(fleet) == []


# Out is "proven" by the time that a monitor takes, although the ready program has counted none of its probes.
def test_pull_is_not_out_by_time_alone_while_the_monitor_has_not_asked(record_property):
    """Few users: between two of them the host is quiet, and only the monitor can tell the edge."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(60.0)
        fleet.edge.monitor.blind = True
        assert host.drain(last=True, stop_engine=True).ok
        await fleet.run(600.0)
        assert lost(fleet) == [], "the edge still sends requests here, and they are answered"
        assert host.engine.alive
        fleet.edge.monitor.blind = False
        gone = await fleet.until(lambda: not host.engine.alive, 300.0)
        bound(record_property, "monitor blind, pull, few users: engine stopped once it asks", gone, 60.0)
        assert host.resume().ok
        await all_well(fleet, 300.0)

    fleet = scene(Shape(engines(VLLM), PULL, rate=0.1, interval=INTERVAL), story)
    assert lost(fleet) == []


@pytest.mark.parametrize("membership", ASKED)
def test_a_dead_engine_under_a_blind_monitor_is_repaired_all_the_same(
    membership: MembershipKind, record_property
):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        fleet.edge.monitor.blind = True
        host.engine.kill()
        await fleet.run(BLIND)
        assert host.phase is not Phase.SERVING
        fleet.edge.monitor.blind = False
        took = await all_well(fleet, 300.0)
        bound(record_property, f"monitor blind, {membership}: a dead engine is back", BLIND + took, 150.0)

    fleet = scene(Shape(engines(VLLM), membership, rate=0.2, interval=INTERVAL), story)
    assert untouched(fleet, fleet.hosts[0])
