"""GPU faults that the kernel tells, and the operator's word that one is over."""

import pytest
from tests.fleet.engine import Request
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.timelines.later import MEMBERSHIPS, OWN_POOL, all_well, said, untouched
from tests.fleet.timelines.scene import VLLM, arrows, bound, engines, label, lost, out, scene

from inferagent.model.membership import MembershipKind

FELL = "GPU 0 has XID 79 (XID 79)"


def shape(membership: MembershipKind = OWN_POOL) -> Shape:
    return Shape(engines(VLLM), membership, rate=0.2)


@pytest.mark.parametrize("membership", MEMBERSHIPS)
def test_a_fault_of_the_kernel_alone_takes_the_host_out_until_the_operator_s_word(
    membership, record_property
):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.kernel_says(48)
        await fleet.until(lambda: out(host), 300.0)
        await fleet.run(400.0)
        assert label(host) == "waiting"
        assert "waiting for a GPU reset: GPU 0 has XID 48 (XID 48)" in said(host)
        assert untouched(fleet, host)
        assert host.clear_faults().ok
        took = await all_well(fleet, 400.0)
        bound(record_property, f"fault cleared, {membership}: back", took, 120.0)

    assert lost(scene(shape(membership), story)) == []


@pytest.mark.parametrize("away", [False, True])
def test_the_word_outlives_the_agent_and_the_old_line_does_not_come_back(away):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.kernel_says(48)
        await fleet.until(lambda: out(host), 300.0)
        host.disk.full = away  # the state keeps the fault, the runtime folder knows the word
        assert host.clear_faults().ok
        host.kill_agent()
        host.disk.full = False
        await fleet.run(5.0)
        host.start_agent()
        await fleet.run(20.0)
        assert host.saved.faults == ()
        await all_well(fleet, 400.0)

    scene(shape(), story)


def test_a_fault_that_its_driver_still_tells_comes_back_and_says_so():
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.gpu_fault = "lost"
        await fleet.until(lambda: not host.verdict, 150.0)
        answer = host.clear_faults()
        assert 'said "lost"' in answer.message
        since = fleet.now
        await fleet.run(15.0)
        assert "is still lost to its driver, though it was cleared" in said(host)
        assert not any("joining" in arrow for arrow in arrows(fleet, host, since))
        assert untouched(fleet, host)
        await host.reboot()
        await all_well(fleet, 300.0)

    scene(shape(), story)


def test_a_newer_line_of_the_kernel_brings_it_back():
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.kernel_says(79)
        await fleet.until(lambda: out(host), 150.0)
        assert host.clear_faults().ok
        await fleet.run(20.0)
        assert host.saved.faults == ()
        host.kernel_says(79)
        await fleet.run(8.0)
        assert [fault.text for fault in host.saved.faults] == [FELL]
        await host.reboot()
        await all_well(fleet, 300.0)

    scene(shape(), story)


def test_a_driver_that_hangs_over_the_fault_hides_it_from_nobody():
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.gpu_blind = True
        host.kernel_says(79)
        await fleet.until(lambda: out(host), 150.0)
        assert FELL in said(host)
        await host.reboot()
        host.gpu_blind = False
        await all_well(fleet, 300.0)

    scene(shape(), story)


def test_after_the_word_the_only_host_waits_for_a_look_at_its_gpus_but_not_for_ever():
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.take(Request(work=90.0))  # it keeps the host draining, from where the way back is short
        host.gpu_fault = "lost"
        await fleet.until(lambda: not host.verdict, 150.0)
        host.gpu_fault, host.gpu_blind = "", True
        await fleet.run(6.0)
        since = fleet.now
        assert host.clear_faults().ok
        await fleet.run(28.0)
        assert arrows(fleet, host, since) == []
        await all_well(fleet, 60.0)

    scene(Shape(engines(VLLM, 1), rate=0.2), story)
