"""Time that jumps: a host that slept for 8 hours, and a wall clock that is set back by a day."""

import pytest
from tests.fleet.engine import FOR_EVER, Request
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.timelines.later import (
    DAY,
    HOUR,
    MEMBERSHIPS,
    OWN_POOL,
    PULL,
    REPLICA,
    all_well,
    arrow_times,
    long_while,
    routed,
    untouched,
)
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    VLLM,
    Eye,
    bound,
    engine_touches,
    engines,
    label,
    leaves,
    lost,
    out,
    scene,
    whole,
)

from inferagent.model.phase import Phase

NIGHT = 8 * HOUR

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize(("membership", "hours"), [(OWN_POOL, 8), (PULL, 1), (REPLICA, 1)])
def test_a_serving_host_that_slept_for_hours_goes_on_serving(membership, hours, record_property):
    """Asleep, nobody asks it: the monitor, or the edge, sees that without any agent."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        fell = fleet.now
        fleet.spawn(host.suspend(hours * HOUR))
        away = await fleet.until(lambda: routed(fleet) == {"gpu-1"}, 90.0)
        bound(record_property, f"asleep, {membership}: no more requests after", away, 45.0)
        await long_while(fleet, host, hours * HOUR - (fleet.now - fell) - 5.0)
        woke = fleet.now
        took = await fleet.until(lambda: whole(fleet), 60.0)
        bound(record_property, f"slept for {hours} h, {membership}: serves again", took, 45.0)
        await fleet.run(120.0)
        assert lost(fleet, woke) == []
        assert arrow_times(fleet, host) == []

    fleet = scene(Shape(engines(VLLM), membership, rate=0.02), story)
    assert engine_touches(fleet) == []


def test_a_held_host_that_slept_needs_a_generation_of_this_morning_to_come_back(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        assert host.drain().ok
        await fleet.until(lambda: out(host), 60.0)
        fleet.spawn(host.suspend(NIGHT))
        await long_while(fleet, host, NIGHT)
        assert host.slept_at is not None
        woke = host.slept_at
        host.engine.ills.hung_until = woke + 40.0  # the GPU takes its time
        assert host.resume().ok
        took = await all_well(fleet, 200.0)
        bound(record_property, "slept for 8 h under a hold: back after resume", took, 40.0 + 45.0)
        proofs = [begun for begun, outcome in host.engine.answered if outcome == "ok" and begun > woke]
        assert proofs[0] < host.saved.joins[-1], "a generation newer than the sleep came first"

    fleet = scene(Shape(engines(VLLM), rate=0.02), story)
    assert lost(fleet) == []


def test_a_proof_from_before_a_short_sleep_opens_nothing(record_property):
    """Half a minute asleep, while only the hold-off was left: the proof is young, and of another day."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.engine.kill()
        await fleet.until(lambda: label(host) == "ready", 60.0)
        await host.suspend(30.0)
        assert host.slept_at is not None
        woke = host.slept_at
        host.engine.ills.hung_until = woke + 25.0
        await fleet.run(24.0)
        assert out(host), "nothing has answered since it woke"
        took = await all_well(fleet, 200.0)
        bound(record_property, "slept for 30 s before a join: in", 24.0 + took, 25.0 + 90.0)

    fleet = scene(Shape(engines(VLLM), rate=0.02), story)
    assert len(lost(fleet)) <= 1


def test_an_engine_that_does_not_survive_the_sleep_leaves_and_is_restarted(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        fleet.spawn(host.suspend(HOUR))
        await long_while(fleet, host, HOUR)
        host.engine.ills.hung_until = FOR_EVER
        left = await fleet.until(lambda: host.phase is Phase.DRAINING, 200.0)
        bound(record_property, "hung since its sleep: left", left, 120.0)
        again = await fleet.until(lambda: engine_touches(fleet, host) == ["restart"], 200.0)
        bound(record_property, "hung since its sleep: restarted", left + again, 240.0)
        await all_well(fleet, 300.0)

    fleet = scene(Shape(engines(VLLM), rate=0.02), story)
    assert leaves(fleet, fleet.hosts[1]) == 0


@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_a_wall_clock_set_back_by_a_day_changes_nothing(kind, record_property):
    async def story(fleet: Fleet) -> None:
        eye = Eye.attach(fleet)
        await fleet.run(20.0)
        for host in fleet.hosts:
            host.clock.wall_error = -DAY
        await fleet.run(600.0)
        assert fleet.of("arrow") == []
        assert eye.fewest_effective == 2
        bound(record_property, f"wall clock back by a day, {kind}: arrows", fleet.count("arrow"), 0, "arrows")

    fleet = scene(Shape(engines(kind), rate=0.2), story)
    assert lost(fleet) == []
    assert fleet.count("push") == fleet.count("verdict") == 0


@pytest.mark.parametrize("membership", MEMBERSHIPS)
def test_a_wall_clock_that_jumps_in_a_drain_moves_no_deadline_and_ends_no_hold(membership, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.take(Request(work=500.0, lan=True))
        assert host.drain(last=True, deadline=300.0).ok
        await fleet.run(30.0)
        host.clock.wall_error = -DAY
        await fleet.run(60.0)
        host.kill_agent()
        host.start_agent()
        host.clock.wall_error = DAY
        await fleet.run(10.0)
        took = 100.0 + await fleet.until(lambda: out(host), 300.0)
        bound(record_property, f"wall clock jumps in a drain, {membership}: out", took, 303.0)
        assert took >= 295.0, "and not before its deadline, for the request on the LAN"
        await fleet.run(200.0)
        assert out(host)
        host.clock.wall_error = 0.0
        assert host.resume().ok
        await all_well(fleet, 120.0)

    fleet = scene(Shape(engines(VLLM), membership, rate=0.05), story)
    assert untouched(fleet, fleet.hosts[0])
