"""Stories of one host whose engine dies, stalls, hangs or only seems to."""

import pytest
from tests.property.hosts import serving
from tests.property.world import World

from inferagent.model.action import Push, Restart, Start
from inferagent.model.desired import EngineKind, Terms
from inferagent.model.phase import Label, Phase
from inferagent.model.unit import Part

BOTH = pytest.mark.parametrize("kind", list(EngineKind))


def outward(world: World) -> int:
    return sum(1 for _, end in world.arrows() if end is Phase.DRAINING)


def is_serving(world: World) -> bool:
    return world.phase is Phase.SERVING


def restarted(world: World) -> bool:
    return bool(world.actions(Restart, Part.ENGINE))


@BOTH
def test_a_killed_engine_is_out_at_once_and_comes_back(kind):
    world = serving(kind)
    killed = world.now
    world.engine.kill(world.now)
    world.run(0.5)
    assert world.pool.writes_seen[-1] == (killed + 0.5, False)
    assert world.until(is_serving, 200.0) > 50.0  # the hold-off of one minute
    assert world.restarts() == 1, "the supervisor starts it again, not the agent: one start at the beginning"


@BOTH
def test_the_only_host_whose_engine_restarts_in_three_seconds_is_back_at_once(kind):
    world = serving(kind, alone=True)
    world.engine.warm = 1.0
    world.engine.kill(world.now)
    world.run(0.5)
    assert world.decision is not None
    assert not world.decision.verdict
    assert world.until(is_serving, 30.0) < 20.0
    assert world.pool.enabled
    assert world.actions(Push, since=1100.0) == [], "leaving is the verdict alone"


@BOTH
def test_a_restart_faster_than_a_tick_is_not_missed(kind):
    world = serving(kind)
    world.engine.kill(world.now)
    world.engine.comes_back = None
    world.engine.warm = 0.0
    world.engine.restart(world.now)
    world.run(1.0)
    assert world.phase is Phase.DRAINING
    assert "engine-restarted" in world.codes()
    world.until(is_serving, 200.0)


STALLS = [(kind, users, alone) for kind in EngineKind for users in (True, False) for alone in (True, False)]


@pytest.mark.parametrize(("kind", "users", "alone"), STALLS)
def test_a_stall_of_50_s_that_ends_by_itself_restarts_nothing(kind, users, alone):
    world = serving(kind, alone=alone)
    world.pool.users = users
    world.run(80.0)
    world.engine.hung_until = world.now + 50.0
    world.run(200.0)
    assert not restarted(world)
    world.until(is_serving, 200.0)
    assert world.lost == []


@pytest.mark.parametrize("metrics", ["failed", "na"])
def test_a_stall_that_no_counter_can_show_moves_nobody(metrics):
    world = serving()
    world.engine.metrics = metrics
    world.engine.hung_until = world.now + 50.0
    world.run(120.0)
    assert outward(world) == 0


def test_frozen_counters_without_an_unanswered_generation_are_no_hang():
    world = serving()
    world.engine.users = False
    world.engine.lan = 3

    def step(*_args: object) -> None:
        """Counters frozen, requests in the engine, and every question answered."""

    world.engine.step = step  # type: ignore[method-assign]
    world.engine.moves = 0
    world.run(300.0)
    assert outward(world) == 0


@BOTH
def test_a_prefill_of_120_s_is_health(kind):
    world = serving(kind)
    world.engine.busy_until = world.now + 120.0
    world.run(300.0)
    assert outward(world) == 0


def test_a_queue_behind_a_generation_of_5_minutes_is_no_hang():
    world = serving(EngineKind.OLLAMA)
    world.engine.lan = 4
    world.engine.busy_until = world.now + 300.0
    world.run(320.0)
    assert outward(world) == 0


@pytest.mark.parametrize("metrics", ["failed", "na"])
def test_metrics_that_are_missing_for_an_hour_move_nobody(metrics):
    world = serving()
    world.engine.metrics = metrics
    world.run(3600.0, step=4.0)
    world.engine.metrics = "ok"
    world.run(120.0)
    assert outward(world) == 0


def test_looks_that_all_fail_for_an_hour_move_nobody():
    world = serving()
    world.engine.blind = True
    world.connector.metrics = False
    world.pool.readable = False
    world.run(3600.0, step=4.0)
    assert outward(world) == 0
    assert {"engine-look-unknown", "connector-unknown", "membership-unknown"} <= world.findings()


HANGS = [(EngineKind.VLLM, 20.0), (EngineKind.OLLAMA, 60.0)]


@pytest.mark.parametrize(("kind", "bound"), HANGS)
def test_a_hang_under_traffic_leaves_in_time_and_is_repaired(kind, bound):
    world = serving(kind)
    began = world.now
    world.engine.hung_until = float("inf")
    assert world.until(lambda w: not w.pool.enabled, bound) > 10.0
    world.until(restarted, 120.0)
    assert world.now - began >= 60.0
    world.until(is_serving, 200.0)


@BOTH
def test_a_hang_without_traffic_is_found_where_it_is_looked_for(kind):
    world = serving(kind)
    world.pool.users = False
    world.run(30.0)
    world.engine.hung_until = float("inf")
    if kind is EngineKind.OLLAMA:
        world.engine.lan = 1  # an idle one is asked nothing at all
    world.until(restarted, 260.0)
    world.until(is_serving, 200.0)


@BOTH
def test_the_last_host_is_kept_in_while_it_hangs_then_repaired_by_the_verdict_alone(kind):
    world = serving(kind)
    world.pool.set_peers(False)
    world.run(20.0)
    world.engine.hung_until = float("inf")
    hung = world.until(lambda w: "engine-hung" in w.codes(), 60.0)
    assert world.phase is Phase.SERVING
    kept = world.until(lambda w: w.phase is Phase.DRAINING, 90.0)
    assert kept >= 59.0
    world.until(restarted, 60.0)
    assert world.pool.enabled, "the pool stays enabled where nobody else is effective"
    world.until(is_serving, 120.0)
    assert hung < 45.0


def test_a_hold_while_a_hung_last_host_is_kept_in():
    world = serving()
    world.pool.set_peers(False)
    world.run(20.0)
    world.engine.hung_until = float("inf")
    world.until(lambda w: "engine-hung" in w.codes(), 60.0)
    world.drain(last=True)
    world.run(1.0)
    assert world.phase is Phase.DRAINING
    world.until(lambda w: w.phase is Phase.OUT, 120.0)
    world.run(300.0)
    assert not restarted(world), "nothing is repaired while held"
    assert not world.pool.enabled
    assert world.label is Label.HELD
    world.resume()
    world.until(restarted, 60.0)
    world.until(is_serving, 120.0)


def dying(world: World, every: float, times: int) -> int:
    """How often it has joined meanwhile."""
    before = len(world.arrows())
    for _ in range(times):
        world.engine.kill(world.now)
        world.run(every, step=2.0)
    return [end for _, end in world.arrows()[before:]].count(Phase.JOINING)


def test_the_only_host_whose_engine_keeps_dying_comes_back_each_time():
    assert 10 <= dying(serving(alone=True), 180.0, 20) <= 20


def test_a_crash_loop_where_others_are_effective_waits_for_the_restart_budget():
    """The supervisor restarts it, and that is counted: joins of their own cap would be six an hour."""
    world = serving()
    assert dying(world, 180.0, 20) <= 3
    assert world.decision is not None
    assert "restarts in the last hour" in world.decision.sentence
    world.pool.set_peers(False)
    world.until(is_serving, 60.0)
    world.pool.set_peers(True)
    dying(world, 180.0, 1)
    world.run(3700.0, step=2.0)
    assert is_serving(world), "an hour without a crash"


def test_an_engine_that_dies_each_half_hour_stays_out_longer_each_time():
    world = serving()
    assert dying(world, 1800.0, 5) == 5
    assert world.saved.hold_off_level >= 4


def test_six_hangs_in_35_minutes_spend_the_budget_and_say_so():
    world = serving(alone=True)
    for _ in range(6):
        world.engine.hung_until = float("inf")
        world.run(350.0, step=2.0)
    assert len(world.actions(Restart, Part.ENGINE)) == 3
    assert world.label is Label.NEEDS_OPERATOR
    world.until(lambda w: len(w.actions(Restart, Part.ENGINE)) == 4, 3600.0, step=2.0)
    world.until(is_serving, 300.0)


def test_a_load_that_stands_still_is_restarted_and_one_that_moves_is_not():
    world = World(Terms(made_by_setup=True))
    world.connector.start(world.now)
    world.engine.warm = 1200.0
    world.run(1100.0, step=5.0)
    assert world.label is Label.WARMING
    assert not restarted(world)
    world.engine.load_stuck = True
    world.until(restarted, 640.0, step=2.0)
    world.engine.load_stuck, world.engine.warm = False, 20.0
    world.engine.restart(world.now)
    world.until(is_serving, 300.0)


def test_an_engine_that_answers_wrongly_twice_is_restarted_only_when_out():
    world = serving()
    world.pool.users = False
    world.engine.wrong = True
    world.until(lambda w: "generation-failed" in w.codes(), 100.0)
    world.until(restarted, 60.0)
    world.engine.wrong = False
    world.until(is_serving, 200.0)


def test_an_engine_that_a_person_stopped_stays_stopped_until_a_person_starts_it():
    world = serving()
    world.engine.person_stops()
    world.run(300.0, step=1.0)
    assert world.label is Label.HELD
    assert world.actions(Start, Part.ENGINE, since=1100.0) == []
    world.engine.start(world.now)
    world.until(is_serving, 200.0)


def test_a_missing_model_is_said_and_nothing_is_restarted():
    world = serving()
    world.engine.has_model = False
    world.run(300.0, step=1.0)
    assert world.label is Label.NEEDS_OPERATOR
    assert not restarted(world)
    world.engine.has_model = True
    world.until(is_serving, 120.0)


def test_a_lost_gpu_waits_for_a_reboot_and_its_engine_is_left_alone():
    world = serving()
    world.gpu_fault = "lost"
    world.run(6.0)
    assert world.phase is Phase.DRAINING
    world.gpu_fault = ""
    world.engine.supervised = False
    world.engine.kill(world.now)
    world.run(300.0, step=1.0)
    assert world.label is Label.WAITING
    assert world.actions(Start, Part.ENGINE, since=1100.0) == []
    world.reboot()
    world.engine.supervised = True
    world.until(is_serving, 300.0)
