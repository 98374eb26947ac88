"""Timelines of holds that end by themselves and of GPUs that are lent: played on, rebooted, the last one."""

import pytest
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.timelines.later import DAY, all_well
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    VLLM,
    Eye,
    bound,
    effective,
    engine_touches,
    engines,
    findings,
    label,
    lost,
    out,
    scene,
    sentence,
    whole,
)
from tests.fleet.users import GAME, XORG

from inferagent.model.membership import MembershipKind
from inferagent.policy.until import PATIENCE

LEND = 600.0


@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_a_drain_for_ten_minutes_ends_in_time_and_nobody_notices(kind, record_property):
    async def story(fleet: Fleet) -> None:
        host, eye = fleet.hosts[0], Eye.attach(fleet)
        await fleet.run(20.0)
        began = fleet.now
        assert host.drain(lasts=LEND).ok
        await fleet.until(lambda: out(host), 60.0)
        await fleet.run(began + LEND - fleet.now - 10.0)
        assert label(host) == "held"
        took = await fleet.until(lambda: whole(fleet), 90.0)
        bound(record_property, f"drain --for, {kind}: whole again after its end", took - 10.0, 45.0)
        assert eye.seconds_unreachable == 0

    fleet = scene(Shape(engines(kind), rate=0.2), story)
    assert lost(fleet) == []
    assert engine_touches(fleet) == []


@pytest.mark.parametrize("error", [-DAY, DAY])
@pytest.mark.parametrize("rebooted", [False, True])
def test_a_clock_that_jumps_by_a_day_moves_the_end_of_a_drain_by_little(error, rebooted, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        began = fleet.now
        assert host.drain(lasts=LEND).ok
        await fleet.run(60.0)
        host.jump(error)
        await fleet.run(10.0)
        if rebooted:
            await host.reboot(60.0)
        await fleet.run(began + LEND - fleet.now - 10.0)
        assert label(host) == "held"
        took = await fleet.until(lambda: whole(fleet), 120.0)
        bound(record_property, f"drain --for, clock off by {error:.0f} s: whole", took - 10.0, 60.0)

    scene(Shape(engines(VLLM), rate=0.05), story)


def test_a_boot_with_a_clock_that_is_wrong_for_a_minute_moves_it_by_little(record_property):
    """A host whose own clock runs on local time, or has none, until the network sets it."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        began = fleet.now
        assert host.drain(lasts=LEND).ok
        await fleet.run(60.0)
        host.power_off()
        await fleet.run(60.0)
        host.clock.wall_error = DAY
        host.power_on()
        await fleet.run(60.0)
        host.clock.wall_error = 0.0
        await fleet.run(began + LEND - fleet.now - 10.0)
        assert label(host) == "held"
        took = await fleet.until(lambda: whole(fleet), 120.0)
        bound(record_property, "drain --for, boot with a wrong clock: whole", took - 10.0, 60.0)

    scene(Shape(engines(VLLM), rate=0.05), story)


@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_a_lent_gpu_is_played_on_for_longer_than_it_was_lent_for(kind, record_property):
    """The desktop that was always there is in nobody's way, even after a new login."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        assert host.lend(LEND).ok
        took = await fleet.until(lambda: not host.engine.alive, 90.0)
        bound(record_property, f"lend, {kind}: the GPU is free", took, 45.0)
        host.users.put(fleet.now, XORG, GAME)
        await fleet.run(2 * LEND)
        assert (label(host), out(host)) == ("waiting", True)
        assert sentence(host) == "out, waiting: GPU 0 is used by blender (pid 4242, 11 GB)"
        assert engine_touches(fleet, host) == ["stop"]
        host.users.put(fleet.now, XORG)
        host.users.restart_desktop(fleet.now)
        took = await fleet.until(lambda: whole(fleet), 300.0)
        bound(record_property, f"lend, {kind}: whole after the game", took, 120.0)
        assert engine_touches(fleet, host) == ["stop", "start"]

    fleet = scene(Shape(engines(kind), rate=0.2), story)
    assert lost(fleet) == []


@pytest.mark.parametrize("ends_while_off", [False, True])
def test_a_reboot_in_the_middle_ends_no_lending(ends_while_off, record_property):
    """The engine that a boot would bring is not started, and the game is waited for all the same."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        assert host.lend(LEND).ok
        await fleet.until(lambda: not host.engine.alive, 90.0)
        await host.reboot(LEND if ends_while_off else 60.0)
        host.users.put(fleet.now, XORG, GAME)
        await fleet.run(30.0)
        assert label(host) == "held", "a young boot still doubts its clock"
        await fleet.run(LEND + PATIENCE)
        assert label(host) == "waiting"
        host.kill_agent()
        host.start_agent()
        await fleet.run(20.0)
        assert label(host) == "waiting"
        assert engine_touches(fleet, host) == ["stop"]
        host.users.put(fleet.now, XORG)
        took = await all_well(fleet, 300.0)
        bound(record_property, "lend, rebooted: whole after the game", took, 120.0)
        assert engine_touches(fleet, host) == ["stop", "start"]

    scene(Shape(engines(VLLM), rate=0.05), story)


def test_resume_waits_for_the_game_once_and_said_again_for_nobody(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        assert host.lend(LEND).ok
        await fleet.until(lambda: not host.engine.alive, 90.0)
        host.users.put(fleet.now, XORG, GAME)
        await fleet.run(20.0)
        assert "blender" in host.resume().message
        await fleet.run(LEND)
        assert label(host) == "waiting"
        assert host.resume().ok
        took = await fleet.until(lambda: whole(fleet), 200.0)
        bound(record_property, "lend, resumed twice beside a game: whole", took, 120.0)

    scene(Shape(engines(VLLM), rate=0.05), story)


def test_where_nobody_can_see_who_is_on_the_gpu_it_comes_back_in_time_and_that_is_said(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        host.users.unseen = True
        await fleet.run(10.0)
        assert "cannot tell who uses GPU 0" in host.lend(LEND).message
        await fleet.until(lambda: not host.engine.alive, 90.0)
        host.users.put(fleet.now, XORG, GAME)
        await fleet.run(20.0)
        assert "gpu-users-unknown" in findings(host)
        took = await fleet.until(lambda: whole(fleet), LEND + 200.0)
        bound(record_property, "lend, blind: whole", took, LEND + 60.0)

    scene(Shape(engines(VLLM), rate=0.05), story)


@pytest.mark.parametrize(
    ("membership", "count"),
    [(MembershipKind.OWN_POOL, 1), (MembershipKind.PULL, 2), (MembershipKind.REPLICA, 2)],
)
def test_the_last_endpoint_as_far_as_it_can_see_is_lent_only_with_last(membership, count, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(40.0)
        refused = host.lend(LEND)
        assert (refused.ok, refused.cure) == (False, "inferagent lend --for 10m --last")
        await fleet.run(60.0)
        assert engine_touches(fleet, host) == []
        assert not out(host)
        assert host.lend(LEND, last=True).ok
        took = await fleet.until(lambda: not host.engine.alive, 400.0)
        bound(record_property, f"lend --last, {membership}: the GPU is free", took, 150.0)
        await all_well(fleet, LEND + 400.0)

    scene(Shape(engines(VLLM, count), membership, rate=0.02), story)


@pytest.mark.parametrize("apart", [0.0, 0.5, 2.0, 8.0])
def test_of_two_that_are_lent_at_once_no_two_engines_are_stopped(apart, record_property):
    """The better one lets the other leave first, and stays. Told as that wait ends, each sees the other: both
    leave, and neither is lent."""

    async def story(fleet: Fleet) -> None:
        first, second = fleet.hosts
        eye = Eye.attach(fleet)
        await fleet.run(40.0)
        assert first.lend(LEND).ok
        await fleet.run(apart)
        second.lend(LEND)
        await fleet.run(LEND / 2)
        assert not all(out(host) and not host.engine.alive for host in fleet.hosts)
        if apart == 2.0:
            assert "not-lent" in findings(second)
            assert engine_touches(fleet) == []
        else:
            assert effective((second if apart > 2.0 else first).pool)
            assert eye.fewest_effective == 1
        second.resume()
        first.resume()
        took = await fleet.until(lambda: whole(fleet), 120.0)
        bound(record_property, f"two lent {apart:g} s apart, resumed: whole", took, 90.0)

    scene(Shape(engines(VLLM), rate=0.05), story)
