"""What only units of systemd have: persons, masks, a bus that goes away. In a host: `make hosts`."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.systemd_bench import (
    FILE,
    NAME,
    NO_HOST,
    QUICK,
    SystemdBench,
    by_person,
    in_host,
    states,
    systemctl,
)
from tests.contract.units_bench import Seen, running, sleeper, until

from inferagent.model.unit import Unit, UnitState
from inferagent.ports import PortError

pytestmark = pytest.mark.skipif(not in_host(), reason=NO_HOST)

KILLS = 30
NOTIFY = {**QUICK, "Type": "notify"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SystemdBench]:
    made = SystemdBench(tmp_path)
    try:
        yield made
    finally:
        made.clean()


def ever(seen: Seen, holds: Callable[[Unit], bool]) -> bool:
    return any(holds(unit) for unit in seen.readings)


async def test_a_person_stops_it_and_a_person_starts_it_again(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        by_person("stop", NAME)
        stopped = await seen.state(UnitState.STOPPED)
        assert stopped.stopped_by_person
    async with bench.watched(bench.port()) as seen:
        assert seen.last.stopped_by_person, (
            "the next agent knows it too, though systemd has forgotten the unit"
        )
        by_person("start", NAME)
        assert not (await seen.state(UnitState.RUNNING)).stopped_by_person


async def test_a_persons_stop_that_nobody_watched_is_one(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        await seen.state(UnitState.RUNNING)
    by_person("stop", NAME)
    async with bench.watched(bench.port()) as seen:
        assert seen.last.state is UnitState.STOPPED
        assert seen.last.stopped_by_person


async def test_a_persons_stop_outlasts_a_stop_of_ours(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        by_person("stop", NAME)
        await seen.state(UnitState.STOPPED)
        await unit.stop()
        assert seen.last.stopped_by_person


async def test_a_persons_stop_of_what_waits_for_its_restart_is_one(bench):
    unit = bench.make(*sleeper(), service={**QUICK, "RestartSec": "60"})
    async with bench.watched(unit) as seen:
        await unit.start()
        os.kill((await seen.state(UnitState.RUNNING)).main_pid, signal.SIGKILL)
        await seen.state(UnitState.RESTARTING)
        by_person("stop", NAME)
        assert (await seen.state(UnitState.STOPPED)).stopped_by_person


async def test_a_persons_stop_of_what_is_not_ready_yet_is_one(bench):
    unit = bench.make(*sleeper(), service=NOTIFY)
    async with bench.watched(unit) as seen:
        by_person("start", "--no-block", NAME)
        assert (await seen.state(UnitState.STARTING)).alive
        by_person("stop", NAME)
        assert (await seen.state(UnitState.STOPPED)).stopped_by_person


async def test_a_persons_restart_is_no_stop_and_not_the_units_own(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        first = await seen.state(UnitState.RUNNING)
        by_person("restart", NAME)
        await until(lambda: seen.last.incarnation not in ("", first.incarnation), "the next life")
        assert (await seen.state(UnitState.RUNNING)).own_restarts == ()
        assert not ever(seen, lambda unit: unit.stopped_by_person)
        assert UnitState.FAILED not in states(seen)


async def test_nobodys_death_is_ever_called_failed_or_a_persons_stop(bench):
    unit = bench.make(*sleeper(), service={**QUICK, "RestartSec": "10ms"})
    async with bench.watched(unit) as seen:
        await unit.start()
        for number in range(4):  # the fifth start is the last that systemd allows
            os.kill(
                (await seen.state(UnitState.RUNNING)).main_pid, (signal.SIGKILL, signal.SIGTERM)[number % 2]
            )
            await until(
                lambda count=number: len(seen.last.own_restarts) > count and seen.last.alive, "a restart"
            )
        assert states(seen) <= {
            UnitState.STOPPED,
            UnitState.STARTING,
            UnitState.RUNNING,
            UnitState.RESTARTING,
        }
        assert not ever(seen, lambda unit: unit.stopped_by_person)


async def test_a_mask_is_seen_and_lifted(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        by_person("mask", NAME)
        await seen.state(UnitState.MASKED)
        with pytest.raises(PortError, match="sudo systemctl unmask contract") as refused:
            await unit.start()
        assert refused.value.refused
        by_person("unmask", NAME)
        await seen.state(UnitState.STOPPED)


async def test_a_watchdogs_kill_is_said(bench):
    unit = bench.make(*sleeper(), service={**QUICK, "WatchdogSec": "300ms"})
    async with bench.watched(unit) as seen:
        await unit.start()
        await until(lambda: "watchdog" in seen.last.exit, "the watchdog")
        assert "killed by signal 6 (its watchdog was not fed)" in seen.last.exit
        assert not ever(seen, lambda unit: unit.stopped_by_person)


async def test_a_start_that_takes_too_long_is_no_persons_stop(bench):
    unit = bench.make(*sleeper(), service={**NOTIFY, "TimeoutStartSec": "300ms"})
    async with bench.watched(unit) as seen:
        with pytest.raises(PortError, match=f"cannot start {NAME}: .*systemctl status"):
            await unit.start()
        await until(lambda: len(seen.last.own_restarts) == 1, "a restart")
        assert "it took too long" in seen.last.exit
        assert not ever(seen, lambda unit: unit.stopped_by_person)
        await unit.stop()


async def test_a_program_that_cannot_be_executed_is_said(bench):
    unit = bench.make("/nowhere/engine")
    async with bench.watched(unit) as seen:
        await unit.start()
        await until(lambda: "203" in seen.last.exit, "the exit code")
        assert seen.last.exit == "exit code 203 (its program cannot be executed)"
        await unit.stop()


async def test_a_unit_whose_condition_fails_is_not_started(bench):
    unit = bench.make(*sleeper())
    FILE.write_text(FILE.read_text().replace("[Unit]", "[Unit]\nConditionPathExists=/nowhere"))
    systemctl("daemon-reload")
    async with bench.watched(unit) as seen:
        with pytest.raises(PortError, match="it is inactive"):
            await unit.start()
        assert (await seen.state(UnitState.STOPPED)).stopped_by_person is False


async def test_a_stop_ends_what_systemd_would_leave(bench, tmp_path):
    pid_file = tmp_path / "orphan"
    deaf = f"(trap '' TERM; exec sleep 301) & echo $! > {pid_file}"
    unit = bench.make(*sleeper(deaf), service={**QUICK, "KillMode": "process"})
    async with bench.watched(unit) as seen:
        await unit.start()
        await until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"), "the child")
        first = int(pid_file.read_text())
        await unit.restart()
        assert not running(first)
        await until(lambda: int(pid_file.read_text() or first) != first, "the next child")
        await unit.stop()
        assert not running(int(pid_file.read_text()))
        assert seen.last.leftovers == 0


async def test_leftovers_that_live_beside_the_next_life_are_counted(bench, tmp_path):
    pid_file = tmp_path / "orphan"
    deaf = f"(trap '' TERM; exec sleep 301) & echo $! > {pid_file}"
    unit = bench.make(*sleeper(deaf), service={**QUICK, "KillMode": "process"})
    async with bench.watched(unit) as seen:
        await unit.start()
        os.kill((await seen.state(UnitState.RUNNING)).main_pid, signal.SIGKILL)
        await until(lambda: len(seen.last.own_restarts) == 1 and seen.last.alive, "the next life")
        assert seen.last.leftovers == 1
        await unit.stop()
        assert seen.last.leftovers == 0
