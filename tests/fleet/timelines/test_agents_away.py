"""Timelines of agents that are away: down for ten minutes, or booted on what the last boot left behind."""

from collections.abc import Awaitable, Callable

import pytest
from tests.fleet.engine import MB, Request
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
    findings,
    label,
    lost,
    out,
    scene,
    sentence,
    whole,
)

from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase

TEN_MINUTES, LOADING = 600.0, 1200.0
MEMBERSHIPS = [MembershipKind.OWN_POOL, MembershipKind.PULL, MembershipKind.REPLICA]


async def reach_serving(fleet: Fleet, host: Host) -> None:
    await fleet.run(20.0)


async def reach_draining(fleet: Fleet, host: Host) -> None:
    """An answer of 10 minutes keeps it from being quiet."""
    await fleet.run(20.0)
    host.take(Request(work=620.0))
    assert host.drain(last=True, deadline=2000.0).ok
    await fleet.until(lambda: host.phase is Phase.DRAINING, 2.0)
    await fleet.run(5.0)


async def reach_held(fleet: Fleet, host: Host) -> None:
    await fleet.run(20.0)
    assert host.drain(last=True).ok
    await fleet.until(lambda: out(host), 120.0)


async def reach_joining(fleet: Fleet, host: Host) -> None:
    """In by its own word, and the monitor has not looked yet."""
    await reach_held(fleet, host)
    fleet.edge.monitor.blind = True
    host.resume()
    await fleet.until(lambda: host.phase is Phase.JOINING, 30.0)
    await fleet.run(3.0)


Reach = Callable[[Fleet, Host], Awaitable[None]]
REACHES = [reach_serving, reach_draining, reach_held, reach_joining]
CASES = [(kind, MembershipKind.OWN_POOL, reach) for kind in (VLLM, OLLAMA) for reach in REACHES]
CASES += [(VLLM, membership, reach) for membership in MEMBERSHIPS[1:] for reach in REACHES[:3]]


@pytest.mark.parametrize(("kind", "membership", "reach"), CASES)
def test_both_agents_down_ten_minutes_change_nothing_and_go_on_where_they_were(
    record_property, kind, membership, reach
):
    async def story(fleet: Fleet) -> None:
        first, second = fleet.hosts
        await reach(fleet, first)
        before = [(host.phase, host.verdict, host.pool.enabled, host.connector.alive) for host in fleet.hosts]
        gone, eye = fleet.now, Eye.attach(fleet)
        for host in fleet.hosts:
            host.kill_agent()
        await fleet.run(TEN_MINUTES)
        changes = fleet.count("push", since=gone) + fleet.count("verdict", since=gone)
        bound(record_property, "both agents down ten minutes: membership changes", changes, 0, "changes")
        bound(record_property, "both agents down ten minutes: lost", len(lost(fleet, gone)), 0, "requests")
        assert eye.seconds_unreachable == 0
        assert all(at <= gone + 1.0 for at in fleet.account.calls)
        for host in fleet.hosts:
            host.start_agent()
        await fleet.run(0.01)
        after = [(host.phase, host.verdict, host.pool.enabled, host.connector.alive) for host in fleet.hosts]
        assert after == before
        fleet.edge.monitor.blind = False
        await fleet.run(60.0)
        assert engine_touches(fleet) == []
        if reach in (reach_draining, reach_held):
            assert out(first)
            assert label(first) == "held"
            first.resume()
        took = await fleet.until(lambda: whole(fleet), 60.0)
        bound(record_property, "both agents down ten minutes: whole again", took, 45.0)
        assert lost(fleet, gone) == []
        assert not second.saved.other_hand

    scene(Shape(engines(kind), membership, rate=0.3, seed=3), story)


BOOTS = [(VLLM, "two hosts"), (OLLAMA, "alone"), (VLLM, "API lost"), (OLLAMA, "pull")]


@pytest.mark.parametrize(("kind", "way"), BOOTS)
def test_a_boot_with_a_stale_enabled_entry_stays_out_until_its_engine_has_loaded_20_minutes(
    record_property, kind, way
):
    alone, pull = way == "alone", way == "pull"

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        eye = Eye.attach(fleet)
        host.power_off()
        await fleet.run(90.0)
        assert host.pool.enabled or pull, "nobody was there to disable it"
        host.engine.warm = LOADING
        host.line.token = way != "API lost"
        host.power_on()
        booted = fleet.now
        await fleet.run(60.0)
        assert host.pool.enabled is (way in ("alone", "API lost", "pull"))
        assert out(host)
        assert label(host) == "warming"
        await fleet.run(LOADING - 180.0)
        host.line.token = True
        await fleet.run(60.0)
        assert out(host)
        assert eye.answered_200.get(host.name, 0) == 0
        took = await fleet.until(lambda: whole(fleet), 200.0)
        bound(record_property, f"boot with a stale entry, {way}: joined after its load", took - 60.0, 30.0)
        assert eye.false_200 == {}
        assert engine_touches(fleet, since=booted) == ["start"]
        assert lost(fleet, since=booted + 20.0) == [] or alone

    count = 1 if alone else 2
    membership = MembershipKind.PULL if pull else MembershipKind.OWN_POOL
    scene(Shape(engines(kind, count), membership, rate=0.05, alone=alone), story)


def test_a_boot_with_a_stale_entry_and_a_model_that_loads_for_20_minutes_behind_an_open_port(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        eye = Eye.attach(fleet)
        host.engine.load_seconds = LOADING
        await host.reboot(90.0)
        booted = fleet.now
        while fleet.now < booted + LOADING:
            await fleet.run(1.0)
            host.engine.moves += 1
            host.engine.read_bytes += 40 * MB
        assert out(host)
        assert eye.answered_200.get(host.name, 0) == 0
        host.engine.load_seconds = 0.0
        took = await fleet.until(lambda: whole(fleet), 200.0)
        bound(record_property, "boot with a stale entry, open port: joined after its load", took, 40.0)
        assert eye.false_200 == {}
        assert engine_touches(fleet, since=booted) == ["start"]

    scene(Shape(engines(OLLAMA), rate=0.05), story)


@pytest.mark.parametrize("kind", BOTH_KINDS)
@pytest.mark.parametrize("known_alone", [True, False])
@pytest.mark.parametrize("lost_by", ["cut", "token"])
def test_the_only_host_with_its_api_lost_its_engine_dead_and_rebooted_serves_again(
    record_property, kind, known_alone, lost_by
):
    """Nobody else can answer: what the pool reads is told later, the users are served at once."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        eye = Eye.attach(fleet)
        setattr(host.line, lost_by, lost_by == "cut")
        await fleet.run(40.0)
        assert whole(fleet)
        host.engine.supervised = False
        host.engine.kill()
        await fleet.run(1.0)
        assert not host.verdict
        await host.reboot(60.0)
        took = await fleet.until(lambda: effective(host.pool) and host.ready_answer(), 600.0)
        within = 60.0 if known_alone else 60.0 + 240.0
        bound(
            record_property, f"only host, API lost, dead, rebooted (alone={known_alone}): users", took, within
        )
        assert host.engine.would_answer()
        assert "membership-unknown" in findings(host)
        assert "cannot be read" in sentence(host)
        setattr(host.line, lost_by, lost_by != "cut")
        took = await fleet.until(lambda: whole(fleet), 60.0)
        bound(record_property, "only host, API lost, dead, rebooted: serving by a reading", took, 30.0)
        assert eye.false_200.get(host.name, 0) <= 4

    shape = Shape(engines(kind, 1), rate=0.05, alone=known_alone)
    scene(shape, story)
