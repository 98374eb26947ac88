"""A start that makes no progress: for ever, for 20 minutes, on one of two hosts and on the only one."""

import pytest
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.law import Law
from tests.fleet.timelines.later import HOUR, MEMBERSHIPS, OWN_POOL, all_well, busiest, lives, routed
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    VLLM,
    bound,
    effective,
    engine_touches,
    engines,
    findings,
    label,
    leaves,
    lost,
    scene,
    sentence,
    whole,
)
from tests.property.laws import Tick

from inferagent.model.phase import Label

STUCK = 600.0
ASKED = {"needs-operator", "warming-stuck"}


def sticks(fleet: Fleet) -> None:
    """The engine dies, and its next lives read half of the model and then nothing more."""
    host = fleet.hosts[0]
    host.engine.ills.load_stuck = True
    host.engine.kill()


def test_a_load_stuck_for_ever_ends_with_the_operator_and_not_in_restarts(record_property):
    async def story(fleet: Fleet) -> None:
        host, well = fleet.hosts
        await fleet.run(20.0)
        sticks(fleet)
        found = await fleet.until(lambda: bool(engine_touches(fleet, host)), STUCK + 15.0)
        bound(record_property, "load stuck: found and restarted", found, STUCK + 10.0)
        said = await fleet.until(lambda: {label(host), *findings(host)} >= ASKED, 1500.0)
        bound(record_property, "load stuck: the operator is asked", found + said, 3 * STUCK + 60.0)
        assert "no progress in starting" in sentence(host)
        assert "next try in" in sentence(host)
        await fleet.run(2 * HOUR - fleet.now)
        assert routed(fleet) == {well.name}
        assert busiest(lives(fleet, host)) <= 3
        assert set(engine_touches(fleet, host)) == {"restart"}
        host.engine.ills.load_stuck = False  # the operator has cured it, and starts nothing
        back = await all_well(fleet, 300.0)
        bound(record_property, "load stuck: back once it is cured", back, 60.0)

    fleet = scene(Shape(engines(VLLM), rate=0.05), story)
    bound(
        record_property, "load stuck: restarts an hour", busiest(lives(fleet, fleet.hosts[0])), 3, "restarts"
    )
    assert leaves(fleet, fleet.hosts[0]) == 1
    assert leaves(fleet, fleet.hosts[1]) == 0
    assert len(lost(fleet)) <= 1


@pytest.mark.parametrize("membership", MEMBERSHIPS)
@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_a_load_stuck_for_20_minutes_comes_back_by_itself(kind, membership, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        sticks(fleet)
        await fleet.run(2 * STUCK)
        assert not whole(fleet, host)
        host.engine.ills.load_stuck = False
        name = f"load stuck for 20 min, {kind}, {membership}: back"
        bound(record_property, name, await all_well(fleet, 300.0), 90.0)

    fleet = scene(Shape(engines(kind), membership, rate=0.02), story)
    assert len(lives(fleet, fleet.hosts[0])) <= 3
    assert leaves(fleet, fleet.hosts[0]) == 1
    assert leaves(fleet, fleet.hosts[1]) == 0


def test_the_only_host_whose_load_is_stuck_stays_enabled_and_comes_back(record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        sticks(fleet)
        await fleet.run(2 * STUCK)
        assert host.pool.enabled
        assert not effective(host.pool)
        host.engine.ills.load_stuck = False
        bound(
            record_property, "the only host, load stuck for 20 min: back", await all_well(fleet, 300.0), 60.0
        )

    fleet = scene(Shape(engines(VLLM, 1), OWN_POOL, rate=0.02, alone=True), story)
    assert len(lives(fleet, fleet.hosts[0])) <= 3
    assert fleet.count("push") == 0


class Calls(Law):
    """Counts the ticks that ask for the operator while the agent's own try is under way."""

    count = 0

    def tick(self, host: Host, tick: Tick) -> None:
        trying = tick.observed.job("engine").running
        self.count += trying and tick.decision.label is Label.NEEDS_OPERATOR


# Between its stop and its start the engine is gone, and the third try has just been booked.
def test_nobody_is_called_for_while_a_try_is_under_way():
    calls = Calls()

    async def story(fleet: Fleet) -> None:
        fleet.watchers.append(calls)
        await fleet.run(20.0)
        sticks(fleet)
        await fleet.until(lambda: len(lives(fleet, fleet.hosts[0])) == 3, 2 * STUCK + 30.0)
        await fleet.run(10.0)

    scene(Shape(engines(VLLM), rate=0.05), story)
    assert calls.count == 0
