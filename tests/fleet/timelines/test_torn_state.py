"""The saved state is torn, one generation or all: held, with a GPU fault, while serving, in a drain."""

import pytest
from tests.fleet.disk import Disk
from tests.fleet.engine import Request
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.later import MEMBERSHIPS, OWN_POOL, all_well, said, untouched
from tests.fleet.timelines.scene import (
    VLLM,
    bound,
    engines,
    label,
    leaves,
    lost,
    out,
    scene,
)

from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase

BOTH_GENERATIONS = (False, True)


def tear(disk: Disk, everything: bool) -> None:
    disk.torn()
    if everything:
        disk.previous, disk.old = disk.previous[:7], disk.old[:7]


def lose_state(fleet: Fleet, host: Host, everything: bool) -> None:
    """The agent dies, its state is torn, and its supervisor starts it again."""
    host.kill_agent()
    tear(host.disk, everything)
    host.forgot = True
    fleet.note(host, "torn")
    host.crashed()


def shape(membership: MembershipKind) -> Shape:
    return Shape(engines(VLLM), membership, rate=0.2)


@pytest.mark.parametrize("membership", MEMBERSHIPS)
@pytest.mark.parametrize("everything", BOTH_GENERATIONS)
def test_a_hold_survives_a_torn_state_and_a_boot(everything, membership, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        assert host.drain(last=True, reason="new fan").ok
        await fleet.until(lambda: out(host), 120.0)
        lose_state(fleet, host, everything)
        await fleet.run(200.0)
        assert out(host)
        assert "new fan" in said(host)
        assert label(host) == "held"
        host.kill_agent()
        tear(host.disk, everything)
        await host.reboot()
        await fleet.run(100.0)
        assert out(host)
        assert label(host) == "held"
        assert host.resume().ok
        took = await all_well(fleet, 300.0)
        bound(record_property, f"torn state under a hold, {membership}: back after resume", took, 90.0)

    fleet = scene(shape(membership), story)
    assert lost(fleet) == []
    assert leaves(fleet, fleet.hosts[1]) == 0


@pytest.mark.parametrize("membership", MEMBERSHIPS)
@pytest.mark.parametrize("everything", BOTH_GENERATIONS)
def test_a_gpu_fault_that_is_still_seen_is_kept_through_a_torn_state(everything, membership, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.gpu_fault = "lost"
        await fleet.until(lambda: out(host), 150.0)
        lose_state(fleet, host, everything)
        await fleet.run(120.0)
        assert out(host)
        assert label(host) == "waiting"
        assert "is lost to its driver" in said(host)
        assert untouched(fleet, host)
        await host.reboot()
        took = await all_well(fleet, 300.0)
        bound(
            record_property, f"torn state with a GPU fault, {membership}: back after the reboot", took, 120.0
        )

    fleet = scene(shape(membership), story)
    assert leaves(fleet, fleet.hosts[1]) == 0


def test_a_gpu_fault_that_shows_no_more_is_kept_by_the_older_generation(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.gpu_fault = "lost"
        await fleet.until(lambda: out(host), 150.0)
        host.gpu_fault = ""
        lose_state(fleet, host, everything=False)
        await fleet.run(300.0)
        assert out(host)
        assert label(host) == "waiting"
        await host.reboot()
        await all_well(fleet, 300.0)

    assert leaves(scene(shape(OWN_POOL), story)) == 1


@pytest.mark.parametrize("membership", MEMBERSHIPS)
@pytest.mark.parametrize("everything", BOTH_GENERATIONS)
def test_a_torn_state_of_a_serving_host_is_nobody_elses_business(everything, membership, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        lose_state(fleet, host, everything)
        await fleet.run(60.0)
        assert host.phase is Phase.SERVING
        assert host.verdict
        await all_well(fleet, 10.0)

    fleet = scene(shape(membership), story)
    assert lost(fleet) == []
    assert fleet.count("push") == 0
    assert not any(note.detail is False for note in fleet.of("verdict"))


@pytest.mark.parametrize("everything", BOTH_GENERATIONS)
def test_a_state_torn_in_mid_drain_leaves_all_the_same_and_keeps_the_stream(everything, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.take(Request(work=200.0))
        assert host.drain(stop_engine=True).ok
        await fleet.run(15.0)
        lose_state(fleet, host, everything)
        await fleet.run(150.0)
        assert host.engine.in_flight(lan=False) == 1, "the stream is whole"
        stopped = await fleet.until(lambda: not host.engine.alive, 120.0)
        bound(record_property, "torn state in mid-drain: engine stopped after the stream", stopped, 60.0)
        assert host.resume().ok
        await all_well(fleet, 200.0)

    assert lost(scene(shape(OWN_POOL), story)) == []
