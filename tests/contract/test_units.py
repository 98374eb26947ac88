"""What every kind of unit does, on real processes. A new kind joins by a bench of its own in BENCHES.

Units of systemd need a host that may be spoilt: `make hosts` runs their half in one that it boots.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.systemd_bench import NO_HOST, SystemdBench, in_host
from tests.contract.units_bench import Bench, ChildBench, python, running, sleeper, until

from inferagent.model.unit import UnitState

BENCHES = {"child": ChildBench, "systemd": SystemdBench}
ONLY_IN_A_HOST = pytest.mark.skipif(not in_host(), reason=NO_HOST)


@pytest.fixture(params=["child", pytest.param("systemd", marks=ONLY_IN_A_HOST)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = BENCHES[request.param](tmp_path)
    try:
        yield made
    finally:
        made.clean()


async def test_a_unit_that_was_never_started_is_stopped(bench):
    async with bench.watched(bench.make(*sleeper())) as seen:
        assert seen.last.state is UnitState.STOPPED
        assert not seen.last.alive


async def test_start_runs_the_program_and_twice_is_once(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        first = await seen.state(UnitState.RUNNING)
        assert running(first.main_pid)
        await unit.start()
        assert seen.last.incarnation == first.incarnation


async def test_a_kill_is_seen_within_milliseconds(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        waits = []
        for _ in range(3):
            life = await seen.state(UnitState.RUNNING)
            os.kill(life.main_pid, signal.SIGKILL)
            begun = time.monotonic()
            await until(lambda: not seen.last.alive, "the death")
            waits.append(time.monotonic() - begun)
        assert min(waits) < 0.5  # it is told, not found by asking; alone it is 5 ms
        assert "signal 9" in seen.last.exit


async def test_what_exits_is_started_again_and_counted_whatever_its_code(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        first = await seen.state(UnitState.RUNNING)
        os.kill(first.main_pid, signal.SIGTERM)
        await seen.state(UnitState.RESTARTING)
        second = await seen.state(UnitState.RUNNING)
        assert second.incarnation != first.incarnation
        assert len(second.own_restarts) == 1
        assert second.own_restarts[0] >= first.since


async def test_exit_code_0_is_a_death_too(bench, tmp_path):
    flag = tmp_path / "once"
    unit = bench.make(*sleeper(f"test -e {flag} || {{ touch {flag}; exit 0; }}"))
    async with bench.watched(unit) as seen:
        await unit.start()
        await until(lambda: len(seen.last.own_restarts) == 1 and seen.last.alive, "a restart")
        assert seen.last.exit == "exit code 0"


async def test_stop_ends_it_and_it_stays_stopped(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        life = await seen.state(UnitState.RUNNING)
        await unit.stop()
        assert seen.last.state is UnitState.STOPPED
        assert not seen.last.stopped_by_person
        assert not running(life.main_pid)
        await unit.stop()
        await asyncio.sleep(bench.restarts_within)  # the absence of a restart has no event
        assert seen.last.state is UnitState.STOPPED
        assert seen.last.own_restarts == ()


async def test_a_program_that_ignores_sigterm_is_killed_after_the_bound(bench):
    code = "import signal,time;signal.signal(15,signal.SIG_IGN);print('deaf',flush=True);time.sleep(300)"
    unit = bench.make(*python(code))
    async with bench.watched(unit) as seen:
        await unit.start()
        life = await seen.state(UnitState.RUNNING)
        await until(lambda: "deaf" in bench.log(), "the program to be deaf")
        begun = time.monotonic()
        await unit.stop()
        assert 0.9 < time.monotonic() - begun < 4
        assert not running(life.main_pid)
        assert "signal 9" in seen.last.exit


async def test_restart_makes_another_life_and_is_not_the_units_own(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        first = await seen.state(UnitState.RUNNING)
        await unit.restart()
        assert seen.last.state is UnitState.RUNNING
        assert seen.last.incarnation != first.incarnation
        assert seen.last.own_restarts == ()
        assert not running(first.main_pid)


async def test_orphans_are_counted_and_ended_before_the_next_life(bench, tmp_path):
    pid_file = tmp_path / "orphan"
    deaf = "(trap '' TERM; exec sleep 301) &"  # else it would be gone before anybody looked
    unit = bench.make(*sleeper(f"{deaf} echo $! > {pid_file}"))
    async with bench.watched(unit) as seen:
        await unit.start()
        await until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"), "the child")
        first = await seen.state(UnitState.RUNNING)
        orphan = int(pid_file.read_text())
        os.kill(first.main_pid, signal.SIGKILL)
        await until(lambda: seen.last.alive and seen.last.main_pid != first.main_pid, "the next life")
        assert not running(orphan)
        assert max(life.leftovers for life in seen.readings) == 1
        assert seen.last.leftovers == 0


async def test_an_engine_that_hangs_is_stopped_too(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        life = await seen.state(UnitState.RUNNING)
        os.kill(life.main_pid, signal.SIGSTOP)
        await unit.stop()
        assert not running(life.main_pid)


async def test_it_outlives_its_agent_and_is_taken_over(bench):
    first = bench.make(*sleeper())
    async with bench.watched(first) as seen:
        await first.start()
        life = await seen.state(UnitState.RUNNING)
    assert running(life.main_pid)
    second = bench.make(*sleeper())
    async with bench.watched(second) as seen:
        assert seen.last.incarnation == life.incarnation
        assert seen.last.own_restarts == ()
        os.kill(life.main_pid, signal.SIGKILL)
        await until(lambda: bool(seen.last.own_restarts) and seen.last.alive, "a restart after adoption")
        await second.stop()


async def test_a_death_without_an_agent_is_counted_and_mended(bench):
    first = bench.make(*sleeper())
    async with bench.watched(first) as seen:
        await first.start()
        life = await seen.state(UnitState.RUNNING)
    os.kill(life.main_pid, signal.SIGKILL)
    await until(lambda: not running(life.main_pid), "the death")
    second = bench.make(*sleeper())
    async with bench.watched(second) as seen:
        await until(lambda: seen.last.alive, "a restart")
        assert len(seen.last.own_restarts) == 1
        assert seen.last.incarnation != life.incarnation


async def test_stopped_stays_stopped_for_the_next_agent(bench):
    first = bench.make(*sleeper())
    async with bench.watched(first) as seen:
        await first.start()
        await seen.state(UnitState.RUNNING)
        await first.stop()
    async with bench.watched(bench.make(*sleeper())) as seen:
        assert seen.last.state is UnitState.STOPPED
        assert not seen.last.stopped_by_person


async def test_a_missing_part_is_said_and_found_once_it_is_there(bench, tmp_path):
    missing = bench.missing(tmp_path)
    async with bench.watched(missing.unit) as seen:
        assert seen.last.state is UnitState.MISSING
        assert seen.last.exit == missing.said
        missing.appear()
        found = await seen.state(UnitState.STOPPED)
        assert found.exit == "", "no life has ended: its first start is no repair"
        await missing.unit.start()
        await seen.state(UnitState.RUNNING)
        await missing.unit.stop()


async def test_a_program_that_dies_at_once_again_and_again_is_given_up(bench):
    unit = bench.make("/bin/sh", "-c", "exit 3")
    async with bench.watched(unit) as seen:
        await unit.start()
        given_up = await seen.state(UnitState.FAILED)
        assert given_up.exit == "gave up after 5 starts in 10 s, the last: exit code 3"
        assert len(given_up.own_restarts) == 4
        lives = len({life.incarnation for life in seen.readings if life.alive})
        await unit.start()  # a word from above counts for more than the limit
        assert len({life.incarnation for life in seen.readings if life.alive}) == lives + 1
        await unit.stop()


async def test_two_deeds_at_once_follow_each_other(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await asyncio.gather(unit.start(), unit.start(), unit.restart())
        lives = {life.incarnation for life in seen.readings if life.incarnation}
        assert len(lives) == 2
        assert seen.last.state is UnitState.RUNNING
