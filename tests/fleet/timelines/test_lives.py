"""Timelines of engines that end and come back: in 3 s, faster than a tick, and by six hangs in 35 minutes."""

import itertools

import pytest
from tests.fleet.engine import FOR_EVER, Request
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    OLLAMA,
    VLLM,
    Eye,
    bound,
    effective,
    engine_touches,
    engines,
    label,
    leaves,
    lost,
    out,
    scene,
    sentence,
    touches,
    whole,
)

from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.unit import Part

OWN_POOL, PULL, REPLICA = MembershipKind.OWN_POOL, MembershipKind.PULL, MembershipKind.REPLICA


@pytest.mark.parametrize("kind", BOTH_KINDS)
@pytest.mark.parametrize("why_last", ["configured", "the other is held", "the other is dead"])
def test_the_last_host_whose_engine_restarts_in_3_s_is_back_at_once(record_property, kind, why_last):
    """Leaving is the verdict alone: a pool that was disabled would be unknown, which is down, for longer."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(40.0)
        if why_last == "the other is held":
            assert fleet.hosts[1].drain().ok
        elif why_last == "the other is dead":
            fleet.hosts[1].power_off()
        await fleet.run(60.0)
        host.engine.warm = 0.5
        eye, began = Eye.attach(fleet), fleet.now
        host.engine.kill()
        took = await fleet.until(lambda: not host.verdict, 5.0)
        bound(record_property, "last host, engine back in 3 s: verdict 503 after", took, 1.0)
        took = await fleet.until(lambda: whole(fleet, host), 60.0)
        bound(record_property, "last host, engine back in 3 s: serving after", fleet.now - began, 30.0)
        bound(record_property, "last host, engine back in 3 s: not effective for", eye.seconds_none, 25.0)
        assert fleet.count("push", host, began) == 0
        assert engine_touches(fleet, host) == []
        assert sum(eye.false_200.values()) <= 4
        assert set(lost(fleet, began)) <= {"refused", "the engine ended", "no pool"}
        bound(
            record_property,
            "last host, engine back in 3 s: lost of 1 in 2 s",
            len(lost(fleet, began)),
            15,
            "",
        )
        fleet.hosts[-1].start_agent() if why_last != "the other is dead" else fleet.hosts[-1].power_on()
        fleet.hosts[-1].resume()
        await fleet.run(1.0)
        fleet.hosts[-1].resume()
        await fleet.until(lambda: whole(fleet), 120.0)

    count = 1 if why_last == "configured" else 2
    scene(Shape(engines(kind, count), rate=0.5, work=0.5, alone=count == 1), story)


FLASHES = [(kind, OWN_POOL, alone) for kind in BOTH_KINDS for alone in (False, True)]
FLASHES += [(VLLM, PULL, False), (VLLM, REPLICA, False), (OLLAMA, REPLICA, False)]


@pytest.mark.parametrize(("kind", "membership", "alone"), FLASHES)
@pytest.mark.parametrize("warm", [0.0, 25.0])
def test_a_restart_faster_than_a_tick_is_not_missed(record_property, kind, membership, alone, warm):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(47.3)
        host.engine.warm = warm
        eye, began = Eye.attach(fleet), fleet.now
        host.engine.flash()
        took = await fleet.until(lambda: host.phase is Phase.DRAINING, 30.0)
        bound(record_property, "restart faster than a tick: verdict 503 after", took, 1.0)
        assert not host.verdict or membership is REPLICA
        took = await fleet.until(lambda: whole(fleet), 300.0)
        bound(
            record_property,
            f"restart faster than a tick, {membership}, alone={alone}: whole after its warm-up",
            fleet.now - began - warm,
            40.0 if alone else 100.0,
        )
        assert engine_touches(fleet, host) == []
        assert leaves(fleet, host, began) == 1
        assert sum(eye.false_200.values()) <= 4
        assert fleet.count("push", host, began) == (2 if membership is OWN_POOL and not alone else 0)
        assert set(lost(fleet, began)) <= {"refused", "the engine ended", "no pool", "no tunnel"}

    scene(Shape(engines(kind, 1 if alone else 2), membership, rate=0.2, alone=alone), story)


def test_a_flash_while_joining_is_not_missed_either(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        assert host.drain().ok
        await fleet.until(lambda: out(host), 60.0)
        fleet.edge.monitor.blind = True
        host.resume()
        await fleet.until(lambda: host.phase is Phase.JOINING, 30.0)
        await fleet.run(2.0)
        host.engine.flash()
        took = await fleet.until(lambda: host.phase is Phase.DRAINING, 30.0)
        bound(record_property, "restart faster than a tick while joining: leaves", took, 1.0)
        fleet.edge.monitor.blind = False
        await fleet.until(lambda: whole(fleet), 200.0)
        assert engine_touches(fleet) == []

    scene(Shape(engines(VLLM), rate=0.2), story)


def most_in_an_hour(times: list[float]) -> int:
    return max((sum(0 <= later - at < 3600.0 for later in times) for at in times), default=0)


def restarts(fleet: Fleet, host: Host) -> list[float]:
    return [note.at for note in touches(fleet, Part.ENGINE, host)]


SINGLE = [(VLLM, OWN_POOL, True), (OLLAMA, OWN_POOL, True), (VLLM, OWN_POOL, False), (OLLAMA, REPLICA, True)]


@pytest.mark.parametrize(("kind", "membership", "alone"), SINGLE)
def test_six_hangs_in_35_minutes_on_a_single_host_spend_the_budget_and_never_end_it(
    record_property, kind, membership, alone
):
    """Each hang is for good: three restarts an hour, then the operator is asked, then a try as it refills."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(60.0)
        began, asked_for_help = fleet.now, False
        while fleet.now < began + 2100.0:
            host.engine.ills.hung_until = FOR_EVER
            host.take(Request(work=1.0))
            await fleet.run(350.0)
            if label(host) == "needs-operator":
                asked_for_help = True
                assert "restarts in the last hour; the next try in" in sentence(host)
        assert asked_for_help
        assert len(restarts(fleet, host)) == 3
        gaps = [b - a for a, b in itertools.pairwise(restarts(fleet, host))]
        assert min(gaps) >= 30.0
        await fleet.until(lambda: whole(fleet, host), 3600.0)
        bound(record_property, "six hangs in 35 min: whole again after the first", fleet.now - began, 3900.0)
        bound(
            record_property,
            "six hangs in 35 min: restarts an hour",
            most_in_an_hour(restarts(fleet, host)),
            3,
            "",
        )
        await fleet.run(300.0)
        assert whole(fleet, host)
        assert len(restarts(fleet, host)) == 4
        if membership is OWN_POOL and alone:
            assert fleet.of("push") == [], "its pool is the only one"
        assert effective(host.pool)

    scene(Shape(engines(kind, 1), membership, rate=0.02, alone=alone), story)


@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_six_stalls_in_35_minutes_that_end_by_themselves_on_a_single_host_cost_no_restart(
    record_property, kind
):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(60.0)
        eye, began = Eye.attach(fleet), fleet.now
        for _ in range(6):
            host.engine.ills.hung_until = host.clock.now() + 50.0
            host.take(Request(work=1.0))
            await fleet.run(350.0)
            assert whole(fleet)
        assert engine_touches(fleet) == []
        bound(
            record_property,
            "six stalls in 35 min on a single host: not effective",
            eye.seconds_none,
            6 * 100.0,
        )
        assert lost(fleet, began) == []

    scene(Shape(engines(kind, 1), rate=0.02, alone=True), story)
