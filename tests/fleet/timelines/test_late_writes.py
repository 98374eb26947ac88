"""Timelines of own writes that end without an answer and land when nobody expects them: nobody else's."""

import pytest
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    OLLAMA,
    VLLM,
    Eye,
    bound,
    document,
    engine_touches,
    engines,
    label,
    lost,
    out,
    scene,
    whole,
)

KINDS_OF_FLEET = [(kind, count) for kind in BOTH_KINDS for count in (1, 2)]


@pytest.mark.parametrize(("kind", "count"), KINDS_OF_FLEET)
@pytest.mark.parametrize("late", [40.0, 300.0])
def test_a_timed_out_disable_that_lands_after_our_enable_is_undone_and_blames_nobody(
    record_property, kind, count, late
):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(35.0)
        began = fleet.now
        host.line.writes, host.line.late = "late", late
        assert host.drain(last=True).ok
        await fleet.run(9.0)
        host.line.writes = "ok"
        assert host.resume().ok
        took = await fleet.until(lambda: whole(fleet), 60.0)
        bound(record_property, "late disable: serving before it lands", took, 40.0)
        took = await fleet.until(lambda: not host.pool.enabled, late + 30.0)
        landed, eye = fleet.now, Eye.attach(fleet)
        await fleet.until(lambda: host.pool.enabled, 60.0)
        took = await fleet.until(lambda: whole(fleet), 60.0)
        bound(record_property, "late disable: whole after it landed", fleet.now - landed, 60.0)
        assert not host.saved.other_hand
        assert document(host).hold == ""
        await fleet.run(120.0)
        assert whole(fleet)
        assert eye.seconds_none <= (60.0 if count == 1 else 0)
        assert count == 1 or lost(fleet, began) == []
        assert engine_touches(fleet) == []

    scene(Shape(engines(kind, count), rate=0.2), story)


@pytest.mark.parametrize(("kind", "count"), [(VLLM, 2), (OLLAMA, 1)])
@pytest.mark.parametrize("how", ["late", "late-answered"])
def test_own_writes_that_land_late_for_15_minutes_are_never_another_hands(record_property, kind, count, how):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(35.0)
        began = fleet.now
        host.line.writes, host.line.late = how, 40.0
        blamed = 0
        while fleet.now - began < 900.0:
            host.drain(last=True)
            await fleet.run(47.0)
            blamed += host.saved.other_hand
            host.resume()
            await fleet.run(61.0)
            blamed += host.saved.other_hand
        host.line.writes = "ok"
        bound(record_property, f"own writes {how} for 15 min: taken for another hand's", blamed, 0, "times")
        took = await fleet.until(lambda: whole(fleet), 300.0)
        bound(record_property, f"own writes {how} for 15 min: whole after it", took, 120.0)
        await fleet.run(60.0)
        assert whole(fleet)
        assert not host.saved.other_hand
        assert engine_touches(fleet) == []
        assert count == 1 or lost(fleet, began) == []

    scene(Shape(engines(kind, count), rate=0.1), story)


@pytest.mark.parametrize("how", ["late", "late-answered"])
def test_a_hold_under_late_writes_holds(record_property, how):
    """What an earlier resume wrote lands while the host is held: it is written out again."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(35.0)
        assert host.drain().ok
        await fleet.until(lambda: out(host), 60.0)
        host.line.writes, host.line.late = how, 60.0
        assert host.resume().ok
        await fleet.run(12.0)
        host.line.writes = "ok"
        host.drain(last=True)
        await fleet.run(20.0)
        eye = Eye.attach(fleet)
        took = await fleet.until(lambda: host.pool.enabled, 90.0)
        took = await fleet.until(lambda: not host.pool.enabled, 60.0)
        bound(record_property, f"an enable that lands {how} in a hold: disabled again", took, 30.0)
        await fleet.run(120.0)
        assert label(host) == "held"
        assert not host.saved.other_hand
        assert eye.answered_200.get(host.name, 0) == 0
        assert host.resume().ok
        await fleet.until(lambda: whole(fleet), 90.0)
        assert lost(fleet) == []

    scene(Shape(engines(VLLM), rate=0.1), story)
