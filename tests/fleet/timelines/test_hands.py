"""Timelines of the dashboard: another hand that disables, reverts, enables; and `resume` against it."""

import pytest
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    VLLM,
    Eye,
    bound,
    document,
    effective,
    engine_touches,
    engines,
    label,
    lost,
    out,
    scene,
    sentence,
    whole,
)

PATIENT = 30.0  # two looks at the pool at their ordinary pace


def respected(host: Host) -> bool:
    return out(host) and label(host) == "held" and not host.pool.enabled


@pytest.mark.parametrize("kind", BOTH_KINDS)
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("ends", ["revert", "resume"])
def test_an_operator_disables_in_the_dashboard_and_is_obeyed_until_that_hand_or_resume(
    record_property, kind, count, ends
):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(37.0)
        began = fleet.now
        host.hand(False)
        took = await fleet.until(lambda: host.saved.other_hand, 60.0)
        bound(record_property, "dashboard disable: seen as another hand's", took, PATIENT)
        await fleet.until(lambda: not host.verdict, 6.0)
        took = await fleet.until(lambda: respected(host), 60.0)
        bound(record_property, "dashboard disable: out and held", took, 30.0)
        await fleet.run(400.0)
        assert respected(host)
        assert sentence(host) == "out, held: another hand disabled this host in the pool"
        assert document(host).hold == "another hand"
        assert document(host).exit_code == 0
        assert fleet.count("push", host, began) == 0
        if ends == "resume":
            assert host.resume().ok
        else:
            host.hand(True)
        took = await fleet.until(lambda: whole(fleet), 120.0)
        bound(record_property, f"dashboard disable: back by {ends}", took, 45.0)
        assert engine_touches(fleet) == []
        assert set(lost(fleet, began)) <= ({"no pool"} if count == 1 else set())
        await fleet.run(60.0)
        assert whole(fleet)

    scene(Shape(engines(kind, count), rate=0.05), story)


@pytest.mark.parametrize("across", ["agent down", "reboot", "hung", "killed", "with a hold"])
def test_a_dashboard_disable_is_obeyed_whatever_comes_across_it(record_property, across):
    """Nothing is repaired and nothing enabled while it stands, and what waits is done after it."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(37.0)
        if across == "agent down":
            host.kill_agent()
        host.hand(False)
        await fleet.run(90.0)
        if across == "hung":
            host.engine.ills.hung_until = float("inf")
        elif across == "killed":
            host.engine.supervised = False
            host.engine.kill()
        elif across == "reboot":
            await host.reboot(40.0)
        elif across == "with a hold":
            assert host.drain().ok
            await fleet.run(30.0)
            host.hand(True)
            await fleet.run(60.0)
            assert not host.pool.enabled, "a hold outlives the other hand"
            host.hand(False)
        host.start_agent()
        await fleet.run(300.0)
        assert respected(host)
        assert engine_touches(fleet, host) == []
        if across != "with a hold":
            assert fleet.of("push", host) == []
            host.hand(True)
        else:
            assert host.resume().ok
        took = await fleet.until(lambda: whole(fleet), 300.0)
        bound(record_property, f"dashboard disable, {across}: whole after its end", took, 200.0)
        assert set(lost(fleet)) <= {"no tunnel", "the engine ended"}

    scene(Shape(engines(VLLM), rate=0.05), story)


@pytest.mark.parametrize("after", [0.3, 1.0, 5.0, 14.0, 40.0])
@pytest.mark.parametrize("count", [1, 2])
def test_a_dashboard_disable_and_then_resume_brings_the_host_back(record_property, after, count):
    """Even where the agent had not seen the disable yet: the last word was `resume`."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(36.0)
        host.hand(False)
        await fleet.run(after)
        assert host.resume().ok
        took = await fleet.until(lambda: whole(fleet), 120.0)
        bound(record_property, f"dashboard disable, `resume` after {after:.0f} s: serving", took, 45.0)
        await fleet.run(120.0)
        assert whole(fleet)
        assert document(host).hold == ""
        assert engine_touches(fleet) == []
        assert set(lost(fleet)) <= ({"no pool"} if count == 1 else set())

    scene(Shape(engines(VLLM, count), rate=0.05), story)


def test_another_hand_that_enables_a_held_host_makes_no_hold_and_is_undone_and_said(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(30.0)
        assert host.drain().ok
        await fleet.until(lambda: out(host), 60.0)
        await fleet.run(30.0)
        eye = Eye.attach(fleet)
        host.hand(True)
        took = await fleet.until(lambda: not host.pool.enabled, 60.0)
        bound(record_property, "another hand enables a held host: disabled again", took, PATIENT)
        assert eye.answered_200.get(host.name, 0) == 0
        assert not effective(host.pool)
        assert document(host).hold == "operator"
        assert host.resume().ok
        await fleet.until(lambda: whole(fleet), 60.0)
        assert lost(fleet) == []

    scene(Shape(engines(VLLM), rate=0.2), story)
