"""Timelines of engines that are slow or silent for a while, and well: overload, and stalls that end."""

import pytest
from tests.fleet.engine import Request
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    OLLAMA,
    VLLM,
    Eye,
    bound,
    engine_touches,
    engines,
    leaves,
    lost,
    scene,
    whole,
)

from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase

STALL = 50.0
HOUR = 3600.0
OWN_POOL, PULL, REPLICA = MembershipKind.OWN_POOL, MembershipKind.PULL, MembershipKind.REPLICA
# what three hosts of a kind can answer in a second, with answers of 20 s on the average
CAPACITY = {VLLM: 3 * 4 / 20.0, OLLAMA: 3 * 1 / 20.0}


@pytest.mark.parametrize(("kind", "seconds"), [(VLLM, HOUR), (OLLAMA, HOUR / 3)])
def test_three_hosts_at_130_percent_for_an_hour_lose_nobody_and_restart_nothing(
    record_property, kind, seconds
):
    """Queues only grow; looks that fail for a minute in the middle of it are no reason either."""

    async def story(fleet: Fleet) -> None:
        await fleet.run(30.0)
        eye, began = Eye.attach(fleet), fleet.now
        fleet.rate = 1.3 * CAPACITY[kind]
        await fleet.run(seconds / 2)
        for host in fleet.hosts:
            host.engine.sight.metrics = "failed"
        await fleet.run(60.0)
        for host in fleet.hosts:
            host.engine.sight.metrics = "ok"
        await fleet.run(seconds / 2)
        queued = sum(len(host.engine.waiting) for host in fleet.hosts)
        assert queued > 15, "it was no overload"
        bound(record_property, f"three {kind} hosts at 130 %: left", leaves(fleet), 0, "hosts")
        bound(record_property, f"three {kind} hosts at 130 %: restarts", len(engine_touches(fleet)), 0, "")
        assert fleet.of("arrow", since=began) == []
        assert eye.fewest_effective == 3
        assert eye.seconds_unreachable == 0
        assert whole(fleet)

    scene(Shape(engines(kind, 3), rate=0.05, work=20.0), story)


STALLS = [
    (kind, OWN_POOL, rate, alone) for kind in BOTH_KINDS for alone in (False, True) for rate in (0.0, 0.5)
]
STALLS += [(kind, other, 0.5, False) for kind in BOTH_KINDS for other in (PULL, REPLICA)]


@pytest.mark.parametrize(("kind", "membership", "rate", "alone"), STALLS)
def test_a_stall_of_50_s_that_ends_by_itself_restarts_nothing_and_loses_nobody(
    record_property, kind, membership, rate, alone
):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(70.0)
        fleet.rate = rate
        await fleet.run(60.0)
        host.take(Request(work=3.0))
        host.engine.ills.hung_until = host.clock.now() + STALL
        began, life = fleet.now, host.engine.lives
        await fleet.run(STALL)
        took = await fleet.until(lambda: whole(fleet), 300.0)
        bound(record_property, f"stall of 50 s, {membership}: whole again after its end", took, 75.0)
        assert engine_touches(fleet) == []
        assert host.engine.lives == life
        cut_short = {"the connector ended"} if membership is REPLICA else set()  # its grace is 30 s
        assert set(lost(fleet, began)) <= cut_short
        assert leaves(fleet, host) <= 1
        fleet.rate = 0.02
        await fleet.run(120.0)
        assert whole(fleet)
        assert engine_touches(fleet) == []

    count = 1 if alone else 2
    scene(Shape(engines(kind, count), membership, rate=0.2, alone=alone), story)


def stall(seconds: float, *hosts: Host) -> None:
    """Somebody waits on each, and nothing moves."""
    for host in hosts:
        host.take(Request(work=2.0))
        host.engine.ills.hung_until = host.clock.now() + seconds


@pytest.mark.parametrize("kind", BOTH_KINDS)
@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize("rate", [0.05, 1.0])
def test_hosts_that_stall_in_the_same_second_never_leave_by_more_than_half(
    record_property, kind, count, rate
):
    """The lower ranks go first, each after its turn; who would break the majority stays, and recovers."""

    async def story(fleet: Fleet) -> None:
        await fleet.run(90.0)
        fleet.rate = rate
        eye, began = Eye.attach(fleet), fleet.now
        stall(STALL, *fleet.hosts)
        await fleet.run(STALL + 20.0)
        gone = sum(leaves(fleet, host, began) > 0 for host in fleet.hosts)
        bound(
            record_property,
            f"{count} hosts stalling in the same second: left at once",
            gone,
            count // 2,
            "hosts",
        )
        bound(
            record_property,
            f"{count} hosts stalling: fewest effective",
            count - eye.fewest_effective,
            count // 2,
            "",
        )
        assert eye.seconds_none == 0
        assert eye.seconds_unreachable == 0
        took = await fleet.until(lambda: whole(fleet), 300.0)
        bound(record_property, f"{count} hosts stalling in the same second: whole after it", took, 75.0)
        assert engine_touches(fleet) == []
        assert lost(fleet, began) == []
        assert all(leaves(fleet, host, began) <= 1 for host in fleet.hosts)

    scene(Shape(engines(kind, count), rate=0.3), story)


def test_three_hosts_that_hang_for_good_in_the_same_second_are_repaired_and_never_all_out(record_property):
    async def story(fleet: Fleet) -> None:
        await fleet.run(90.0)
        eye, began = Eye.attach(fleet), fleet.now
        stall(float("inf"), *fleet.hosts)
        took = await fleet.until(lambda: all(h.engine.lives == 2 for h in fleet.hosts), 900.0)
        bound(record_property, "three hosts hanging for good: all restarted", took, 360.0)
        took = await fleet.until(lambda: whole(fleet), 600.0)
        bound(record_property, "three hosts hanging for good: whole", fleet.now - began, 600.0)
        assert eye.seconds_none <= 90
        assert [engine_touches(fleet, host) for host in fleet.hosts] == [["restart"]] * 3
        assert {host.phase for host in fleet.hosts} == {Phase.SERVING}

    scene(Shape(engines(VLLM, 3), rate=0.3), story)
