"""Stories of the pool, the network and other hands: lost APIs, late writes, cut lines, holds and resumes."""

import itertools
from dataclasses import replace

import pytest
from tests.property.hosts import serving
from tests.property.world import World

from inferagent.model.action import Push, Restart, Start
from inferagent.model.desired import EngineKind, Terms
from inferagent.model.membership import Endpoint
from inferagent.model.phase import Label, Phase
from inferagent.model.unit import Part

NOBODY = float("inf")


def out(world: World) -> bool:
    return world.phase is Phase.OUT


def is_serving(world: World) -> bool:
    return world.phase is Phase.SERVING


def hung(world: World) -> bool:
    return "engine-hung" in world.codes()


def restarted(world: World) -> bool:
    return bool(world.actions(Restart, Part.ENGINE))


def test_a_token_revoked_in_mid_drain_of_a_hung_engine_delays_its_repair_only():
    world = serving()
    world.engine.hung_until = NOBODY
    world.until(lambda w: w.phase is Phase.DRAINING, 30.0)
    world.pool.set(True)
    world.pool.writes = "refused"
    world.pool.readable = False
    world.until(restarted, 320.0)
    world.run(60.0)
    assert not is_serving(world) or world.pool.enabled
    world.pool.readable, world.pool.writes = True, "ok"
    world.until(is_serving, 400.0)


def test_a_dashboard_disable_is_a_hold_until_resume():
    world = serving()
    world.pool.set(False)
    world.run(30.0)
    assert world.saved.other_hand
    world.until(out, 60.0)
    assert world.label is Label.HELD
    world.run(300.0, step=1.0)
    assert world.actions(Push, since=1100.0) == []
    world.resume()
    world.until(is_serving, 60.0)
    assert world.pool.enabled


def test_a_dashboard_disable_that_is_reverted_ends_by_itself():
    world = serving()
    world.pool.set(False)
    world.until(out, 60.0)
    world.pool.set(True)
    world.until(is_serving, 120.0)
    assert not world.saved.other_hand


def test_a_dashboard_disable_while_only_the_verdict_keeps_the_last_host_out_is_respected_too():
    world = serving(alone=True)
    world.engine.supervised = False
    world.engine.start = lambda now: (now + 9999.0, lambda: "")  # type: ignore[method-assign]
    world.engine.kill(world.now)
    world.until(out, 60.0)
    world.pool.set(False)
    world.run(30.0)
    assert world.saved.other_hand


def test_an_enable_by_another_hand_makes_no_hold_and_is_undone_and_said():
    world = serving()
    world.drain()
    world.until(out, 60.0)
    world.pool.set(True)
    told = world.until(lambda w: "enabled-by-another" in w.findings(), 20.0)
    world.until(lambda w: not w.pool.enabled, 20.0)
    assert told < 16.0
    assert not world.saved.other_hand


def test_a_timed_out_disable_that_lands_after_our_enable_is_nobody_elses():
    world = serving()
    world.pool.writes, world.pool.late = "late", 100.0
    world.drain()
    world.run(4.0)
    world.pool.writes = "ok"
    world.resume()
    world.until(is_serving, 30.0)
    world.run(110.0)
    assert [member for _, member in world.pool.writes_seen].count(True) > 1, "it landed, and was undone"
    world.until(lambda w: is_serving(w) and w.pool.enabled, 60.0)
    assert not world.saved.other_hand


@pytest.mark.parametrize("how", ["late", "late-answered"])
def test_own_writes_that_land_late_for_15_minutes_are_never_another_hands(how):
    world = serving()
    world.pool.writes, world.pool.late = how, 40.0
    for _ in range(5):
        world.drain()
        world.run(90.0, step=1.0)
        world.resume()
        world.run(90.0, step=1.0)
    assert not world.saved.other_hand
    world.pool.writes = "ok"
    world.until(lambda w: is_serving(w) and w.pool.enabled, 240.0)


@pytest.mark.parametrize("minutes", [32, 90])
def test_a_cut_line_restarts_nothing_but_the_connector_at_its_own_pace(minutes):
    world = serving()
    world.connector.edge = False
    world.pool.readable = False
    world.run(minutes * 60.0, step=4.0)
    assert world.label is Label.RECONNECTING
    times = world.actions(Restart, Part.CONNECTOR)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert not restarted(world)
    assert len(times) >= 4
    assert gaps[0] >= 60.0
    assert max(gaps) <= 620.0
    world.connector.edge = world.pool.readable = True
    world.until(is_serving, 300.0)


def test_an_edge_that_is_away_for_40_s_moves_nobody():
    world = serving()
    world.connector.edge = False
    world.run(40.0)
    world.connector.edge = True
    world.run(60.0)
    assert world.arrows()[-1][1] is Phase.SERVING


def test_a_connector_that_blinks_while_draining_is_no_proof_of_being_out():
    world = serving()
    world.pool.readable = False
    world.drain(last=True)
    world.run(1.0)
    world.connector.edge = False
    world.run(3.0)
    world.connector.edge = True
    world.run(60.0)
    assert world.phase is Phase.DRAINING


def test_a_drain_waits_for_the_requests_of_the_lan_and_cuts_none():
    world = serving(EngineKind.OLLAMA)
    world.engine.lan = 1
    world.engine.busy_until = world.now + 200.0
    world.drain(stop_engine=True)
    world.run(180.0)
    assert world.phase is Phase.DRAINING
    assert world.decision is not None
    assert "LAN 1" in world.decision.sentence
    world.run(20.0)
    world.engine.lan = 0
    world.until(lambda w: not w.engine.alive, 30.0)
    assert world.lost == []
    world.resume()
    world.until(is_serving, 120.0)


def test_a_drain_whose_traffic_cannot_be_read_is_not_quiet_before_its_deadline():
    world = serving(EngineKind.OLLAMA)
    world.connector.metrics = False
    world.drain(deadline=100.0)
    world.run(90.0)
    assert world.phase is Phase.DRAINING
    world.until(out, 15.0)


def test_the_operators_deadline_ends_a_drain_with_a_request_that_never_does():
    world = serving()
    world.engine.lan = 1
    world.drain(deadline=60.0)
    assert world.until(out, 70.0) >= 59.0


@pytest.mark.parametrize("going", [10.0, 25.0])
def test_a_host_that_is_about_to_go_is_out_before_it_is_gone(going):
    world = serving()
    world.engine.lan = 1
    world.drain()
    world.run(2.0)
    world.desired = replace(world.desired, going_until=world.now + going)
    assert world.until(out, going) <= going


def test_a_hold_on_the_last_host_waits_for_another_or_for_last():
    world = serving()
    world.pool.set_peers(False)
    world.run(20.0)
    world.drain()
    world.run(60.0)
    assert is_serving(world)
    world.pool.set_peers(True)
    world.until(out, 60.0)


def test_a_resume_within_two_seconds_of_a_drain():
    world = serving()
    world.drain()
    world.run(1.0)
    world.resume()
    world.until(lambda w: is_serving(w) and w.pool.enabled, 40.0)


def test_a_soft_absence_is_a_loan_that_ends_when_the_better_host_falls_ill():
    world = serving()
    world.pool.rank = 5
    world.pool.set_peers(True, first=0)
    world.run(20.0)
    world.engine.degraded = "runs on the CPU"
    world.until(out, 60.0)
    assert world.label is Label.PARKED
    world.run(300.0, step=1.0)
    assert out(world)
    world.pool.set_peers(False, first=0)
    world.until(is_serving, 60.0)
    world.run(120.0)
    assert is_serving(world)


def test_a_degraded_host_of_the_highest_rank_stays():
    world = serving()
    world.engine.degraded = "runs on the CPU"
    world.run(120.0)
    assert is_serving(world)


def test_of_three_hosts_that_stall_in_the_same_second_at_most_one_leaves():
    world = serving()
    world.pool.rank = 0
    world.pool.set_peers(True, True)
    world.run(20.0)
    world.engine.hung_until = NOBODY
    world.until(hung, 30.0)
    began = world.now
    world.run(2.0)
    assert is_serving(world), "it is the lower ranks' turn"
    world.pool.peers[1] = Endpoint("peer1", False, True, rank=2)
    world.run(8.0)
    assert is_serving(world), "less than half would stay"
    assert world.now - began < 12.0


def test_a_cloned_machine_does_not_join():
    world = World(Terms(made_by_setup=True, machine="machine-a"))
    world.pool.machine = "machine-b"
    world.connector.start(world.now)
    world.run(300.0, step=1.0)
    assert out(world)
    assert "two-agents" in world.findings()
    world.pool.machine = "machine-a"
    world.until(is_serving, 60.0)


def test_a_fresh_host_that_nobody_has_set_up_finds_its_pool_disabled_and_holds():
    world = World(Terms())
    world.connector.start(world.now)
    world.run(120.0)
    assert world.label is Label.HELD
    world.resume()
    world.until(is_serving, 60.0)


@pytest.mark.parametrize("how", ["refused", "lost"])
def test_failing_writes_are_repeated_at_a_bounded_pace(how):
    world = serving()
    world.pool.writes = how
    world.drain()
    world.run(120.0)
    assert 8 <= len(world.pool.writes_seen) <= 16
    world.pool.writes = "ok"
    # one that is lost takes 8 s to fail, and the next one comes 15 s later
    world.until(lambda w: not w.pool.enabled, 24.0)


def test_an_engine_that_only_the_agent_can_start_is_started_at_once_and_counted():
    world = serving()
    world.engine.supervised = False
    for _ in range(5):
        world.engine.kill(world.now)
        world.run(20.0)
    assert len(world.actions(Start, Part.ENGINE, since=1090.0)) == 2
    assert world.label is Label.RECOVERING
