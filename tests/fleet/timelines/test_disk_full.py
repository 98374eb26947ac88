"""The disk is full from any step of a drain or of a join on: leaving is never blocked, all the rest waits."""

from math import inf

import pytest
from tests.fleet.disk import Disk
from tests.fleet.engine import FOR_EVER
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.later import MEMBERSHIPS, all_well, routed
from tests.fleet.timelines.scene import VLLM, bound, engine_touches, engines, findings, lost, out, scene

from inferagent.model.phase import Phase

TWO = Shape(engines(VLLM), rate=0.2)


class Filling(Disk):
    """Takes nothing from its host's next effects on, until there is room again."""

    def __init__(self, host: Host) -> None:
        self._host, self._from = host, inf
        old = host.disk
        super().__init__(state=old.state, previous=old.previous, old=old.old, hold=old.hold)

    def fills(self, after: int) -> None:
        self._from = self._host.effects + after

    @property
    def full(self) -> bool:
        return self._host.effects >= self._from

    @full.setter
    def full(self, full: bool) -> None:
        self._from = 0 if full else inf


async def begin(fleet: Fleet) -> tuple[Host, Filling]:
    """The first host on such a disk, serving."""
    host = fleet.hosts[0]
    host.kill_agent()
    host.disk = disk = Filling(host)
    host.start_agent()
    await fleet.run(20.0)
    return host, disk


@pytest.mark.parametrize("step", range(14))
def test_a_drain_on_a_disk_that_fills_up_leaves_in_time_and_stops_nothing(step, record_property):
    async def story(fleet: Fleet) -> None:
        host, disk = await begin(fleet)
        disk.fills(step)
        assert host.drain(stop_engine=True).ok
        left = await fleet.until(lambda: not host.verdict, 5.0)
        left += await fleet.until(lambda: not host.pool.enabled, 5.0)
        bound(record_property, f"disk full from effect {step} of a drain: out of the pool", left, 5.0)
        await fleet.until(lambda: out(host), 60.0)
        full_at = fleet.now
        await fleet.run(60.0)
        if disk.full:
            assert engine_touches(fleet, host, full_at + 1.0) == []
            assert "state-not-saved" in findings(host)
        assert host.resume().ok
        await fleet.run(120.0)
        assert host.phase is (Phase.OUT if disk.full else Phase.SERVING)
        assert fleet.hosts[1].phase is Phase.SERVING
        disk.full = False
        took = await all_well(fleet, 200.0)
        bound(record_property, f"disk full from effect {step} of a drain: back with the space", took, 60.0)
        assert "state-not-saved" not in findings(host)

    assert lost(scene(TWO, story)) == []


def test_a_hold_that_found_no_room_is_said_and_ends_with_the_boot(record_property):
    async def story(fleet: Fleet) -> None:
        host, disk = await begin(fleet)
        disk.full = True
        answer = host.drain()
        assert answer.ok
        assert "ends with this boot" in answer.message
        await fleet.until(lambda: out(host), 60.0)
        assert {"hold-not-durable", "state-not-saved"} <= findings(host)
        host.kill_agent()
        host.start_agent()
        await fleet.run(60.0)
        assert out(host), "within the boot it holds, agent or no agent"
        disk.full = False
        await host.reboot()
        took = await all_well(fleet, 300.0)
        bound(record_property, "hold on a full disk: back after a reboot with space", took, 120.0)

    assert lost(scene(TWO, story)) == []


@pytest.mark.parametrize("step", range(10))
def test_a_join_on_a_disk_that_fills_up_waits_for_room(step, record_property):
    async def story(fleet: Fleet) -> None:
        host, disk = await begin(fleet)
        assert host.drain().ok
        await fleet.until(lambda: out(host), 60.0)
        disk.fills(step)
        assert host.resume().ok
        await fleet.until(lambda: disk.full or host.phase is Phase.SERVING, 60.0)
        before, since = host.phase, fleet.now
        await fleet.run(120.0)
        if disk.full:
            inside = (Phase.JOINING, Phase.SERVING)
            assert (host.phase in inside) is (before in inside), "nothing joins, and nobody leaves for it"
            assert fleet.of("push", host, since + 1.0) == []
        disk.full = False
        took = await all_well(fleet, 200.0)
        bound(record_property, f"disk full from effect {step} of a join: in with the space", took, 45.0)

    fleet = scene(TWO, story)
    assert lost(fleet) == []
    assert engine_touches(fleet) == []


@pytest.mark.parametrize("membership", MEMBERSHIPS)
def test_a_hung_engine_on_a_full_disk_leaves_and_is_restarted_when_there_is_room(membership, record_property):
    async def story(fleet: Fleet) -> None:
        host, disk = await begin(fleet)
        disk.full = True
        host.engine.ills.hung_until = FOR_EVER
        left = await fleet.until(lambda: not host.verdict, 90.0)
        bound(record_property, f"hung on a full disk, {membership}: left", left, 75.0)
        await fleet.until(lambda: routed(fleet) == {"gpu-1"}, 60.0)
        await fleet.run(400.0)
        assert engine_touches(fleet, host) == []
        assert "state-not-saved" in findings(host)
        disk.full = False
        again = await fleet.until(lambda: engine_touches(fleet, host) == ["restart"], 120.0)
        bound(record_property, f"hung on a full disk, {membership}: restarted with the space", again, 60.0)
        await all_well(fleet, 300.0)

    scene(Shape(engines(VLLM), membership, rate=0.2), story)
