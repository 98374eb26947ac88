"""An answer that takes 15 minutes, under each kind of cause: whole where the cause's deadline allows it."""

import pytest
from tests.fleet.deeds import DEEDS
from tests.fleet.engine import FOR_EVER, Request
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.later import MEMBERSHIPS, OWN_POOL, PULL, REPLICA, all_well
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    VLLM,
    bound,
    engine_touches,
    engines,
    lost,
    out,
    scene,
    terms,
)

from inferagent.model.phase import Phase

QUARTER, GRACE = 900.0, 30.0


async def begin(fleet: Fleet, host: Host) -> Request:
    """The stream is under way for a minute."""
    await fleet.run(20.0)
    stream = Request(work=QUARTER)
    host.take(stream)
    await fleet.run(60.0)
    assert stream in host.engine.running
    return stream


def whole_stream(stream: Request) -> bool:
    return stream.left <= 0.0


@pytest.mark.parametrize("membership", [OWN_POOL, PULL])
@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_the_operators_15_minutes_let_it_end_before_the_engine_is_stopped(kind, membership, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        stream = await begin(fleet, host)
        assert host.drain(last=True, stop_engine=True).ok
        await fleet.run(QUARTER - 65.0)
        assert host.phase is Phase.DRAINING
        stopped = await fleet.until(lambda: not host.engine.alive, 60.0)
        assert whole_stream(stream)
        name = f"15-min stream, operator, {kind}, {membership}: engine stopped after it"
        bound(record_property, name, stopped, 30.0)
        assert host.resume().ok
        await all_well(fleet, 200.0)

    assert lost(scene(Shape(engines(kind), membership, rate=0.02), story)) == []


def test_the_operators_own_deadline_cuts_it_at_that_second_and_not_before(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        stream = await begin(fleet, host)
        assert host.drain(last=True, stop_engine=True, deadline=120.0).ok
        await fleet.run(118.0)
        assert stream in host.engine.running
        cut = 118.0 + await fleet.until(lambda: not host.engine.alive, 20.0)
        bound(record_property, "15-min stream, operator --deadline 2m: cut", cut, 125.0)
        assert host.resume().ok
        await all_well(fleet, 200.0)

    assert lost(scene(Shape(engines(VLLM), rate=0.02), story)) == ["the engine ended"]


def test_a_drain_without_stop_engine_cuts_nothing_even_past_its_deadline(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        stream = await begin(fleet, host)
        assert host.drain(deadline=120.0).ok
        out_at = await fleet.until(lambda: out(host), 150.0)
        bound(record_property, "15-min stream, operator without --stop-engine: out", out_at, 125.0)
        await fleet.until(lambda: whole_stream(stream), QUARTER)
        assert host.resume().ok
        await all_well(fleet, 200.0)

    fleet = scene(Shape(engines(VLLM), rate=0.02), story)
    assert lost(fleet) == []
    assert engine_touches(fleet) == []


def test_a_soft_cause_has_all_the_time(record_property):
    """The second in rank idles by rule, and its engine is to be stopped."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[1]
        stream = await begin(fleet, host)
        host.resettle(parked="nobody asked for an hour")
        await fleet.until(lambda: host.phase is Phase.DRAINING, 30.0)
        stopped = await fleet.until(lambda: not host.engine.alive, 2 * QUARTER)
        assert whole_stream(stream)
        bound(record_property, "15-min stream, parked: engine stopped after it", stopped, QUARTER)
        host.resettle(parked="")
        await all_well(fleet, 200.0)

    shape = Shape(engines(VLLM), rate=0.02, steering="off", terms=terms(stop_when_parked=True))
    assert lost(scene(shape, story)) == []


@pytest.mark.parametrize("membership", MEMBERSHIPS)
def test_a_hang_of_another_host_is_none_of_its_business(membership):
    async def story(fleet: Fleet) -> None:
        host, other = fleet.hosts
        stream = await begin(fleet, host)
        other.engine.ills.hung_until = FOR_EVER
        await fleet.until(lambda: whole_stream(stream), QUARTER)
        await all_well(fleet, 300.0)

    fleet = scene(Shape(engines(VLLM), membership, rate=0.02), story)
    assert fleet.of("arrow", fleet.hosts[0]) == []


def test_a_replica_gives_it_the_grace_of_its_connector_and_no_more(record_property):
    """Its connector is told to end first of all, so that no cause's deadline is longer than that."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        stream = await begin(fleet, host)
        assert host.drain(last=True).ok
        await fleet.run(GRACE - 3.0)
        assert stream in host.engine.running
        cut = GRACE - 3.0 + await fleet.until(lambda: stream not in host.engine.running, 10.0)
        bound(
            record_property,
            "15-min stream, operator, replica: cut by the connector's grace",
            cut,
            GRACE + 2.0,
        )
        await fleet.until(lambda: out(host), 60.0)
        assert host.resume().ok
        await all_well(fleet, 200.0)

    assert lost(scene(Shape(engines(VLLM), REPLICA, rate=0.02), story)) == ["the connector ended"]


@pytest.mark.parametrize("membership", [OWN_POOL, PULL])
def test_a_hang_is_given_a_minute_to_end_before_it_costs_the_stream(membership, record_property):
    """Inferred: what a hung engine holds is lost with it, but not before the hang is beyond doubt."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        stream = await begin(fleet, host)
        host.engine.ills.hung_until = host.clock.now() + 50.0
        await fleet.run(170.0)
        assert stream in host.engine.running, "a stall that ends by itself costs a drain, no stream"
        await all_well(fleet, 300.0)
        host.engine.ills.hung_until = FOR_EVER
        await fleet.run(55.0)
        assert stream in host.engine.running
        cut = 55.0 + await fleet.until(lambda: engine_touches(fleet, host) == ["restart"], 120.0)
        bound(record_property, f"15-min stream, hung for good, {membership}: cut", cut, 120.0)
        await all_well(fleet, 300.0)

    fleet = scene(Shape(engines(VLLM), membership, rate=0.02), story)
    assert set(lost(fleet)) == {"the engine ended"}


@pytest.mark.parametrize("membership", [OWN_POOL, PULL])
@pytest.mark.parametrize("deed", ["GPU lost", "model gone"])
def test_a_certain_cause_that_no_restart_cures_touches_no_stream(deed, membership, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        stream = await begin(fleet, host)
        DEEDS[deed](fleet, host)
        left = await fleet.until(lambda: not host.verdict, 30.0)
        bound(record_property, f"15-min stream, {deed}, {membership}: left", left, 15.0)
        gone = await fleet.until(lambda: out(host), 150.0)
        bound(record_property, f"15-min stream, {deed}, {membership}: out by the deadline", gone, 125.0)
        await fleet.until(lambda: whole_stream(stream), QUARTER)
        assert engine_touches(fleet, host) == []
        host.gpu_fault, host.engine.ills.no_model = "", False
        if deed == "GPU lost":
            await host.reboot()
        await all_well(fleet, 300.0)

    scene(Shape(engines(VLLM), membership, rate=0.02), story)


@pytest.mark.parametrize("membership", [OWN_POOL, PULL])
@pytest.mark.parametrize("notice", [25.0, 120.0])
def test_a_host_that_goes_cuts_it_only_when_its_notice_is_over(notice, membership, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        stream = await begin(fleet, host)
        host.resettle(going_until=host.clock.now() + notice)
        left = await fleet.until(lambda: not host.verdict, 5.0)
        bound(record_property, f"15-min stream, host going in {notice:.0f} s, {membership}: left", left, 2.0)
        gone = await fleet.until(lambda: out(host), notice)
        bound(
            record_property, f"15-min stream, host going in {notice:.0f} s, {membership}: out", gone, notice
        )
        await fleet.run(notice - gone - left)
        assert stream in host.engine.running, "nobody cuts it but the machine itself"
        host.power_off()
        host.resettle(going_until=None)
        await fleet.run(60.0)
        host.power_on()
        await all_well(fleet, 300.0)

    fleet = scene(Shape(engines(VLLM), membership, rate=0.02), story)
    assert len(lost(fleet)) == 1
    assert engine_touches(fleet, fleet.hosts[0]) == ["start"]
