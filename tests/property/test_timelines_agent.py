"""Stories of the agent itself: killed, rebooted, put to sleep, without disk, observing; and the kinds."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.property.hosts import serving
from tests.property.world import World

from inferagent.model.action import Push, Restart, Start, Stop
from inferagent.model.desired import EngineKind, Mode, Terms
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Label, Phase
from inferagent.model.unit import Part

NOBODY = float("inf")


def is_serving(world: World) -> bool:
    return world.phase is Phase.SERVING


def out(world: World) -> bool:
    return world.phase is Phase.OUT


def reach_joining(world: World) -> None:
    world.drain()
    world.until(out, 60.0)
    world.resume()
    world.until(lambda w: w.phase is Phase.JOINING, 60.0)


def reach_draining(world: World) -> None:
    world.engine.lan = 1
    world.drain()
    world.run(3.0)
    assert world.phase is Phase.DRAINING


def reach_out(world: World) -> None:
    world.drain()
    world.until(out, 60.0)


def reach_hung(world: World) -> None:
    world.engine.hung_until = NOBODY
    world.until(lambda w: w.phase is Phase.DRAINING, 60.0)


def reach_serving(_world: World) -> None:
    pass


Reach = Callable[[World], None]
EVERYWHERE = pytest.mark.parametrize(
    "reach", [reach_serving, reach_joining, reach_draining, reach_out, reach_hung]
)


def finish(world: World) -> None:
    """Whatever was begun is ended, and the host serves."""
    world.engine.lan = 0
    held = world.desired.hold is not None
    world.run(120.0)
    assert not held or (out(world) and not world.pool.enabled)
    if held:
        world.resume()
    world.until(lambda w: is_serving(w) and w.pool.enabled, 400.0)
    assert world.lost == []
    assert not world.saved.other_hand


@EVERYWHERE
@pytest.mark.parametrize("down", [1.0, 30.0])
def test_an_agent_restarted_in_any_phase_goes_on_where_it_was(reach: Reach, down: float) -> None:
    world = serving()
    reach(world)
    before = (world.phase, world.pool.verdict)
    writes = len(world.pool.writes_seen)
    world.kill_agent(down)
    assert world.pool.verdict == before[1]
    assert len(world.pool.writes_seen) == writes
    world.tick()
    assert (world.phase, world.pool.verdict) == before
    finish(world)


def test_an_agent_killed_with_its_leaving_write_under_way_blames_nobody():
    world = serving()
    world.drain()
    world.run(0.5)
    world.pool.set(False)  # it landed, and nobody was there to see it
    world.kill_agent(5.0)
    world.resume()
    world.run(3.0)
    assert not world.saved.other_hand
    finish(world)


def test_an_agent_down_while_the_engine_is_started_anew_does_not_go_on_serving_unproven():
    world = serving()
    world.agent = False
    world.engine.kill(world.now)
    world.run(10.0)
    world.agent = True
    world._start_agent()
    world.run(1.0)
    assert world.phase is Phase.DRAINING
    world.until(is_serving, 200.0)


@EVERYWHERE
def test_a_reboot_in_any_phase_begins_out_and_comes_back(reach: Reach) -> None:
    world = serving()
    reach(world)
    world.reboot()
    world.run(1.0)
    assert out(world)
    assert world.decision is not None
    assert not world.decision.verdict
    finish(world)


@pytest.mark.parametrize("alone", [True, False])
def test_a_boot_with_a_stale_enabled_entry_leaves_it_only_where_others_are(alone: bool) -> None:
    world = serving(alone=alone)
    world.engine.warm = 1200.0
    world.reboot()
    world.run(30.0)
    assert world.pool.enabled is alone
    world.run(1100.0, step=5.0)
    assert out(world)
    assert world.label is Label.WARMING
    assert world.actions(Restart, Part.ENGINE) == []
    world.until(is_serving, 300.0)


def test_the_only_host_with_its_api_lost_dead_and_rebooted_serves_again():
    world = serving(alone=True)
    world.pool.readable = False
    world.engine.kill(world.now)
    world.run(10.0)
    world.reboot()
    world.run(120.0)
    world.pool.readable = True
    world.until(is_serving, 100.0)


@pytest.mark.parametrize("kind", list(EngineKind))
def test_eight_hours_of_sleep_are_neither_a_hang_nor_a_lost_edge(kind: EngineKind) -> None:
    world = serving(kind)
    world.engine.lan = 1
    world.engine.busy_until = world.now + 8 * 3600.0
    world.connector.edge = False
    world.run(10.0)
    world.suspend(8 * 3600.0)
    world.run(10.0)
    world.connector.edge = True
    world.engine.lan = 0
    world.run(60.0)
    assert is_serving(world)


@EVERYWHERE
def test_a_full_disk_lets_the_host_leave_and_nothing_else(reach: Reach) -> None:
    world = serving()
    reach(world)
    world.disk_full = True
    world.engine.users = False
    world.run(5.0)
    world.engine.kill(world.now)
    world.run(200.0)
    assert world.phase in (Phase.OUT, Phase.DRAINING)
    assert not world.pool.enabled
    assert "state-not-saved" in world.findings()
    world.disk_full = False
    if world.desired.hold is None:
        world.until(is_serving, 200.0)


def test_observing_tells_and_does_nothing_and_the_switch_to_act_is_an_adoption():
    world = World(Terms(made_by_setup=True), mode=Mode.OBSERVE)
    world.connector.start(world.now)
    world.engine.start(world.now)
    world.pool.set(True)
    world.run(30.0)
    world.pool.healthy = True
    world.run(30.0)
    assert world.phase is Phase.SERVING
    world.engine.hung_until = NOBODY
    world.until(lambda w: any(v.rule == "observe" for v in (w.decision.vetoes if w.decision else ())), 100.0)
    world.engine.hung_until = 0.0
    world.run(30.0)
    world.desired = replace(world.desired, mode=Mode.ACT)
    world.kill_agent()
    world.run(0.5)
    assert world.arrows()[-1] == (Phase.OUT, Phase.JOINING)
    assert world.actions(Push) == []
    world.until(is_serving, 60.0)
    assert world.actions(Push) == []


def test_an_observing_host_answers_ready_while_its_port_accepts_and_unknown_changes_nothing():
    world = World(Terms(), mode=Mode.OBSERVE)
    world.engine.start(world.now)
    world.run(30.0)
    assert world.pool.verdict
    world.engine.blind = True
    world.run(60.0)
    assert world.pool.verdict
    world.engine.blind = False
    world.engine.refuses = True
    world.run(5.0)
    assert not world.pool.verdict


def test_a_serving_host_that_lost_its_saved_state_is_adopted_without_a_write():
    world = serving()
    writes = len(world.pool.writes_seen)
    world.disk = None
    world.kill_agent()
    world.run(0.5)
    assert world.phase is Phase.JOINING
    world.until(is_serving, 30.0)
    assert len(world.pool.writes_seen) == writes


@pytest.mark.parametrize("full", [True, False])
def test_a_gpu_fault_outlasts_the_saved_state_and_its_own_report_until_the_boot_ends(full: bool) -> None:
    world = serving()
    world.disk_full = full
    world.gpu_fault = "lost"
    world.until(out, 180.0)
    world.gpu_fault, world.disk, world.disk_full = "", None, False
    world.kill_agent()
    world.run(300.0, step=1.0)
    assert out(world)
    assert world.label is Label.WAITING
    world.reboot()
    world.until(is_serving, 300.0)


# the other kinds of membership


def test_pull_is_out_by_its_verdict_and_drains_until_the_monitor_must_have_seen_it():
    world = serving(membership=MembershipKind.PULL, monitor_bound=60.0)
    world.drain(last=True)
    assert 69.0 <= world.until(out, 120.0) <= 75.0
    assert world.actions(Push) == []
    world.resume()
    world.until(is_serving, 60.0)


def test_pull_with_a_killed_engine_turns_the_verdict_at_once_and_comes_back():
    world = serving(membership=MembershipKind.PULL, monitor_bound=60.0)
    world.engine.kill(world.now)
    world.run(0.5)
    assert not world.pool.verdict
    assert world.until(is_serving, 300.0) > 20.0


def test_replica_stops_its_connector_first_and_starts_it_to_join():
    world = serving(membership=MembershipKind.REPLICA)
    world.drain(last=True)
    world.run(0.5)
    assert world.actions(Stop, Part.CONNECTOR)[-1:] == [world.now]
    world.until(out, 60.0)
    assert not world.connector.alive
    world.run(300.0, step=1.0)
    assert not world.connector.alive
    world.resume()
    world.until(is_serving, 60.0)
    assert world.connector.ready
    assert sum(1 for arrow in world.arrows() if arrow[1] is Phase.DRAINING) == 1


def test_replica_with_a_killed_engine_is_out_at_once_and_comes_back():
    world = serving(membership=MembershipKind.REPLICA)
    world.engine.kill(world.now)
    world.run(0.5)
    assert world.actions(Stop, Part.CONNECTOR)[-1:] == [world.now]
    world.until(is_serving, 400.0)


def test_a_replica_whose_connector_never_connects_is_started_at_its_own_pace():
    world = serving(membership=MembershipKind.REPLICA)
    world.connector.supervised = False
    world.connector.edge = False
    world.run(1200.0, step=2.0)
    assert 2 <= len(world.actions(Start, Part.CONNECTOR, since=1100.0)) <= 12
    world.connector.edge = True
    world.until(is_serving, 700.0, step=1.0)
