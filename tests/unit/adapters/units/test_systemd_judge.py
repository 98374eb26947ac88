from dataclasses import replace

import pytest
from tests.unit.adapters.units.recorded import BEGAN, VERSIONS, Story, sequence

from inferagent.adapters.units.systemd_judge import SETTLES, Judge
from inferagent.adapters.units.systemd_properties import Properties
from inferagent.adapters.units.systemd_record import By, Record
from inferagent.model.unit import UnitState

UP = "stopped starting running"
AGAIN = "restarting starting running"
NO_PROGRAM = "exit code 203 (its program cannot be executed)"
GAVE_UP = "gave up after 5 starts in 10 s, the last: "
# what happened → states, stopped by a person, restarts of its own, how the last life ended, lives
TOLD = {
    "killed": (f"{UP} {AGAIN}", False, 1, "killed by signal 9", 2),
    "systemctl_kill": (f"{UP} {AGAIN}", False, 1, "killed by signal 9", 2),
    "exit0": (f"{UP} {AGAIN}", False, 1, "exit code 0", 2),
    "on_failure_exit1": (f"{UP} {AGAIN}", False, 1, "exit code 1", 2),
    "orphan": (f"{UP} {AGAIN}", False, 1, "killed by signal 9", 2),
    "slow_pre": (f"{UP} {AGAIN}", False, 1, "killed by signal 9", 2),
    "started_in_auto_restart": (f"{UP} {AGAIN}", False, 1, "killed by signal 9", 2),
    "restarted": (f"{UP} stopping starting running", False, 0, "killed by signal 15", 2),
    "stopped": (f"{UP} stopping stopped", True, 0, "killed by signal 15", 1),
    "deaf_stopped": (f"{UP} stopping stopped", True, 0, "killed by signal 9 (it took too long)", 1),
    "stopped_in_auto_restart": (f"{UP} restarting stopped", True, 0, "killed by signal 9", 1),
    "stopped_while_starting": ("stopped starting stopping stopped", True, 0, "killed by signal 15", 1),
    "killed_while_starting": ("stopped starting restarting starting", False, 1, "killed by signal 9", 2),
    "notify_timeout": (
        "stopped starting stopping restarting",
        False,
        0,
        "killed by signal 15 (it took too long)",
        1,
    ),
    "no_restart_exit1": (f"{UP} failed", False, 0, "exit code 1", 1),
    "on_failure_exit0": (f"{UP} stopped", False, 0, "exit code 0", 1),
    "loop0": (f"{UP}{f' {AGAIN}' * 4} restarting failed", False, 4, f"{GAVE_UP}exit code 0", 5),
    "no_program": (f"{UP}{f' {AGAIN}' * 4} restarting failed", False, 4, f"{GAVE_UP}{NO_PROGRAM}", 5),
    "condition": ("stopped starting stopped", False, 0, "", 0),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scenario", TOLD)
def test_what_was_recorded_is_understood(version, scenario):
    story = Story().tell(version, scenario)
    states, person, restarts, exit_text, lives = TOLD[scenario]
    assert [state.value for state in story.states] == states.split()
    assert story.last.stopped_by_person is person
    assert len(story.last.own_restarts) == restarts
    assert story.last.exit == exit_text
    assert len({unit.incarnation for unit in story.units if unit.alive}) == lives
    assert not any(unit.stopped_by_person for unit in story.units[:-2]) or person


@pytest.mark.parametrize("version", VERSIONS)
def test_a_limit_that_was_hit_is_said_until_a_start_by_hand(version):
    story = Story().tell(version, "loop3")
    failed = [unit for unit in story.units if unit.state is UnitState.FAILED]
    assert {unit.exit for unit in failed} == {f"{GAVE_UP}exit code 3"}
    assert len(failed[-1].own_restarts) == 4
    after = story.units[story.units.index(failed[-1]) + 1 :]
    assert [unit.state for unit in after if unit.alive] == [
        UnitState.STARTING,
        UnitState.RUNNING,
        UnitState.RUNNING,
    ]
    assert after[-1].exit == "exit code 3"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_death_is_told_by_the_first_signal_of_it(version):
    story = Story()
    for at, properties in sequence(version, "killed"):
        unit = story.see(at, properties)
        assert unit.alive is bool(properties.main)
    died = next(unit for unit in story.units if unit.exit)
    assert died.state is UnitState.RESTARTING


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scenario", ["stopped", "deaf_stopped", "stopped_in_auto_restart"])
def test_a_stop_that_we_asked_for_is_no_persons(version, scenario):
    story = Story().tell(version, scenario, end=4)
    story.judge.deed = True
    story.judge.asked_to_stop()
    story.tell(version, scenario, start=4, end=-1)
    story.judge.end_deed()
    assert story.see(story.now + 1, story.properties).state is UnitState.STOPPED
    assert not any(unit.stopped_by_person for unit in story.units)
    assert story.judge.record.stopped is By.US


@pytest.mark.parametrize("version", VERSIONS)
def test_our_restart_is_no_stop_of_anybody(version):
    story = Story().tell(version, "restarted", end=4)
    story.judge.deed = True
    story.tell(version, "restarted", start=4)
    story.judge.end_deed()
    assert story.last.state is UnitState.RUNNING
    assert story.judge.record.stopped is By.NOBODY
    assert story.last.own_restarts == ()


def running(version: str) -> Story:
    return Story().tell(version, "killed", end=4)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_next_agent_goes_on_where_this_one_ended(version):
    first = running(version)
    second = Story(Judge(replace(first.judge.record, seen=True), lambda: 0.0))
    second.tell(version, "killed", start=4)
    assert second.units[0].exit == "killed by signal 9"
    assert len(second.last.own_restarts) == 1
    again = Story(Judge(replace(second.judge.record, seen=True), lambda: 0.0))
    again.see(second.now, second.properties)
    assert again.last.own_restarts == second.last.own_restarts, "nothing is counted twice"
    assert again.last.since == second.last.since


@pytest.mark.parametrize("version", VERSIONS)
def test_restarts_before_the_first_look_of_all_count_once_at_most(version):
    """The others may be of any day: a budget of an hour is not spent by them."""
    *_, (at, properties) = sequence(version, "killed")
    story = Story(Judge(Record("boot", "x.service"), lambda: 0.0))
    story.see(at, replace(properties, restarts=7))
    assert len(story.last.own_restarts) == 1
    assert story.last.own_restarts[0] == pytest.approx(properties.started / 1e6)


def test_restarts_that_nobody_watched_are_all_dated_by_the_last():
    record = Record("boot", "x.service", seen=True, invocation="a", main=7, counted=2)
    judge = Judge(record, lambda: 100.0)
    unit = judge.see(
        Properties(active="active", sub="running", invocation="b", main=9, started=5_000_000, restarts=5),
        200.0,
    )
    assert unit.own_restarts == (105.0, 105.0, 105.0)


def test_a_count_that_began_anew_is_counted_from_zero():
    judge = Judge(Record("boot", "x.service", seen=True, invocation="a", counted=4), lambda: 0.0)
    life = Properties(active="active", sub="running", invocation="b", main=9, restarts=1)
    assert len(judge.see(life, 10.0).own_restarts) == 1


def rests(**properties: object) -> Properties:
    return replace(Properties(policy="always", invocation="a", code=2, status=15), **properties)  # type: ignore[arg-type]


def settled(judge: Judge, properties: Properties) -> tuple[UnitState, bool]:
    """As it is once it has had time."""
    judge.see(properties, BEGAN)
    unit = judge.see(properties, BEGAN + SETTLES)
    assert judge.settles_at is None
    return unit.state, unit.stopped_by_person


def test_what_is_found_stopped_was_stopped_by_a_person_only_if_systemd_would_have_restarted_it():
    def found(**properties: object) -> tuple[UnitState, bool]:
        return settled(Judge(Record("boot", "x.service"), lambda: 0.0), rests(**properties))

    stopped, failed = UnitState.STOPPED, UnitState.FAILED
    assert found() == (stopped, True)
    assert found(code=1, status=0) == (stopped, True)
    assert found(policy="on-failure") == (stopped, True)
    assert found(policy="on-failure", code=1, status=0) == (stopped, False), "it may have ended by itself"
    assert found(policy="no") == (stopped, False)
    assert found(invocation="", code=0, status=0) == (stopped, False), "it was never started in this boot"
    assert found(active="failed", sub="failed", result="exit-code", code=1, status=1) == (failed, False)


def test_what_ran_at_the_last_look_and_is_forgotten_by_systemd_was_stopped():
    """systemd forgets stopped units only, and only if nothing refers to them."""
    forgotten = rests(invocation="", code=0, status=0)
    for stopped, person in ((By.NOBODY, True), (By.US, False), (By.PERSON, True)):
        judge = Judge(
            Record("boot", "x.service", seen=True, invocation="a", main=7, stopped=stopped), lambda: 0.0
        )
        assert settled(judge, forgotten) == (UnitState.STOPPED, person)


def test_what_a_person_stopped_stays_so_when_we_stop_it_too():
    judge = Judge(Record("boot", "x.service", seen=True, invocation="a", stopped=By.PERSON), lambda: 0.0)
    judge.asked_to_stop()
    assert settled(judge, rests()) == (UnitState.STOPPED, True)


def test_what_we_stopped_and_somebody_started_is_watched_like_any_other():
    story = Story(Judge(Record("boot", "x.service", seen=True, invocation="a", stopped=By.US), lambda: 0.0))
    life = Properties(active="active", sub="running", policy="always", invocation="b", main=9)
    story.see(BEGAN, life)
    story.see(
        BEGAN + 1, replace(life, main=0, active="failed", sub="failed", result="signal", code=2, status=9)
    )
    assert story.states == [UnitState.RUNNING, UnitState.RESTARTING]


def test_a_restart_of_ours_that_does_not_start_again_is_no_persons_stop():
    story = running("252")
    story.judge.deed = True
    life = story.properties
    story.see(story.now + 1, replace(life, active="deactivating", sub="stop-sigterm", job=9))
    ended = replace(life, main=0, active="failed", sub="failed", result="exit-code", code=1, status=1)
    story.see(story.now + 1, replace(ended, job=9))
    story.see(story.now + 1, ended)
    story.see(story.now + 1, ended)
    assert story.last.state is UnitState.FAILED
    assert not story.last.stopped_by_person


def test_a_limit_that_was_hit_while_nobody_watched_was_one_start_less():
    """systemd counts the start that it refuses too."""
    judge = Judge(Record("boot", "x.service", seen=True, invocation="z", main=7), lambda: 0.0)
    settled(judge, rests(active="failed", sub="failed", result="exit-code", code=1, status=3, restarts=5))
    assert len(judge.record.own_restarts) == 4


def test_what_systemd_was_not_to_restart_has_not_been_given_up():
    judge = Judge(Record("boot", "x.service"), lambda: 0.0)
    failed = rests(
        active="failed", sub="failed", policy="on-abnormal", result="exit-code", code=1, restarts=2
    )
    assert settled(judge, replace(failed, status=3)) == (UnitState.FAILED, False)
    assert judge.record.exit == "exit code 3"


def test_an_exit_code_that_forbids_a_restart_is_no_start_limit():
    judge = Judge(Record("boot", "x.service"), lambda: 0.0)
    prevented = rests(active="failed", sub="failed", result="exit-code", code=1, status=78)
    assert settled(judge, prevented) == (UnitState.FAILED, False)
    assert judge.record.exit == "exit code 78"


def test_a_stop_that_was_refused_leaves_no_trace():
    story = running("252")
    story.judge.asked_to_stop()
    story.judge.not_stopped()
    assert story.judge.record.stopped is By.NOBODY


def test_a_limit_found_by_the_first_look_is_said():
    judge = Judge(Record("boot", "x.service"), lambda: 0.0)
    given_up = rests(
        active="failed", sub="failed", result="exit-code", code=1, status=3, restarts=5, burst=5, window=10.0
    )
    assert settled(judge, given_up) == (UnitState.FAILED, False)
    assert judge.see(given_up, BEGAN + 1).exit == f"{GAVE_UP}exit code 3"


def test_a_state_between_two_steps_of_systemd_is_doubted_for_a_moment():
    story = running("252")
    failed = replace(
        story.properties, main=0, active="failed", sub="failed", result="signal", code=2, status=9
    )
    assert story.see(story.now + 0.01, failed).state is UnitState.RESTARTING
    assert not story.last.alive
    settles = story.judge.settles_at
    assert settles == pytest.approx(story.now + SETTLES)
    story.see(story.now + SETTLES + 0.01, failed)
    assert story.last.state is UnitState.FAILED
    assert story.judge.settles_at is None


@pytest.mark.parametrize(
    ("properties", "state", "exit_text"),
    [
        (Properties(load="not-found"), UnitState.MISSING, "there is no unit x.service"),
        (
            Properties(load="bad-setting", load_error="it is bad"),
            UnitState.MISSING,
            "systemd says: it is bad",
        ),
        (Properties(load="masked"), UnitState.MASKED, ""),
        (Properties(active="active", sub="exited"), UnitState.STOPPED, "systemd knows no main process of it"),
        (
            Properties(active="active", sub="running"),
            UnitState.RUNNING,
            "systemd knows no main process of it",
        ),
        (Properties(active="activating", sub="start-pre", control=5, job=3), UnitState.STARTING, ""),
        (Properties(job=3), UnitState.STARTING, ""),
        (Properties(active="deactivating", sub="stop-post", policy="always"), UnitState.RESTARTING, ""),
        (Properties(active="deactivating", sub="stop-post"), UnitState.STOPPING, ""),
        (
            Properties(active="active", sub="running", main=5, load="masked", invocation="a"),
            UnitState.RUNNING,
            "",
        ),
        (Properties(active="refreshing", sub="refresh", main=5, invocation="a"), UnitState.RUNNING, ""),
    ],
)
def test_other_states(properties, state, exit_text):
    unit = Judge(Record("boot", "x.service"), lambda: 0.0).see(properties, BEGAN)
    assert (unit.state, unit.exit) == (state, exit_text)
    assert unit.alive is bool(properties.main)


def test_a_life_begins_when_its_main_process_does():
    judge = Judge(Record("boot", "x.service"), lambda: 1000.0)
    life = Properties(active="active", sub="running", invocation="a", main=9, started=50_000_000)
    assert judge.see(life, 2000.0).since == 1050.0
    assert judge.see(life, 3000.0).since == 1050.0
    assert judge.see(life, 2000.0).incarnation == "a:9"
    late = replace(life, invocation="b", main=10, started=9_000_000_000)
    assert judge.see(late, 4000.0).since == 4000.0, "never in the future"
