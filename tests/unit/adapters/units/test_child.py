"""What is special about children of the agent; what every unit does is in tests/contract/test_units.py."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from tests.contract.units_bench import QUICK, ChildBench, python, running, sleeper, until

from inferagent.adapters import pids
from inferagent.adapters.clock import BootClock
from inferagent.adapters.units.child import ChildUnit
from inferagent.adapters.units.command import Command
from inferagent.model.unit import UnitState
from inferagent.ports import PortError


@pytest.fixture
def bench(tmp_path):
    made = ChildBench(tmp_path)
    yield made
    made.clean()


@pytest.fixture
def record(tmp_path):
    return tmp_path / "run" / "units" / "engine.json"


AGENT = """
import asyncio, os, sys
from pathlib import Path
from inferagent.adapters.clock import BootClock
from inferagent.adapters.units.child import ChildUnit
from inferagent.adapters.units.command import Command
async def main():
    unit = ChildUnit(Command("engine", ("/bin/sh", "-c", sys.argv[2])), Path(sys.argv[1]), BootClock())
    await unit.start()
    os._exit(9)
asyncio.run(main())
"""


async def agent_that_dies(run, script):
    argv = [sys.executable, "-c", AGENT, str(run), script]
    await asyncio.to_thread(subprocess.run, argv, check=False, timeout=20)


async def test_a_process_that_is_nobodys_child_is_taken_over_and_its_death_seen_at_once(bench, tmp_path):
    await agent_that_dies(tmp_path / "run", "exec sleep 300")
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        first = seen.last
        assert first.state is UnitState.RUNNING
        assert pids.read_stat(first.main_pid) is not None
        os.kill(first.main_pid, signal.SIGKILL)
        await until(lambda: not seen.last.alive, "its death", bound=0.5)
        assert seen.last.exit == "ended, exit code unknown"
        await until(lambda: seen.last.alive, "the next life")
        assert len(seen.last.own_restarts) == 1
        await unit.stop()


async def test_orphans_of_a_death_without_an_agent_are_ended_first(bench, tmp_path):
    await agent_that_dies(tmp_path / "run", f"sleep 301 & echo $! $$ > {tmp_path}/pids; exec sleep 300")
    orphan, main = map(int, (tmp_path / "pids").read_text().split())
    os.kill(main, signal.SIGKILL)
    await until(lambda: not running(main), "the death")
    assert running(orphan)
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await until(lambda: seen.last.alive, "the next life")
        assert not running(orphan)
        assert max(reading.leftovers for reading in seen.readings) == 1
        await unit.stop()


async def test_a_start_that_was_cut_off_is_found_by_its_mark(bench, record):
    first = bench.make(*sleeper())
    await first.start()
    said = json.loads(record.read_text())
    record.write_text(json.dumps(said | {"main": None}))  # the agent died before it knew the pid
    second = bench.make(*sleeper())
    async with bench.watched(second) as seen:
        assert seen.last.main_pid == said["main"]["leader"]["pid"]
        assert seen.last.own_restarts == ()
        await second.stop()


async def test_a_pid_that_is_another_processs_now_is_left_alone(bench, record):
    first = bench.make(*sleeper())
    await first.start()
    said = json.loads(record.read_text())
    pid = said["main"]["leader"]["pid"]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not running(pid), "the death")
    said["main"]["leader"] = {"pid": os.getpid(), "start": said["main"]["leader"]["start"]}
    record.write_text(json.dumps(said))
    second = bench.make(*sleeper())
    async with bench.watched(second) as seen:
        await until(lambda: seen.last.alive, "a life of its own")
        assert seen.last.main_pid != os.getpid()
        await second.stop()


async def test_another_boots_record_counts_for_nothing(bench, record):
    first = bench.make(*sleeper())
    await first.start()
    await first.stop()
    said = json.loads(record.read_text())
    record.write_text(json.dumps(said | {"boot": "another", "wanted": True, "own_restarts": [1.0]}))
    async with bench.watched(bench.make(*sleeper())) as seen:
        assert (seen.last.state, seen.last.own_restarts) == (UnitState.STOPPED, ())


async def test_what_ignores_sigterm_or_left_the_session_is_ended_too(bench, tmp_path):
    script = f"(trap '' TERM; while :; do sleep 0.1; done) & echo $! > {tmp_path}/deaf; "
    script += f"setsid sh -c 'echo $$ > {tmp_path}/far; exec sleep 302' & exec sleep 300"
    unit = bench.make("/bin/sh", "-c", script)
    async with bench.watched(unit) as seen:
        await unit.start()
        files = (tmp_path / "deaf", tmp_path / "far")
        await until(lambda: all(file.exists() and file.read_text().strip() for file in files), "the orphans")
        orphans = [int(file.read_text()) for file in files]
        os.kill(seen.last.main_pid, signal.SIGKILL)
        await until(lambda: bool(seen.last.own_restarts), "the next life")
        assert [running(pid) for pid in orphans] == [False, False]
        await unit.stop()


async def test_a_stop_that_is_cut_short_can_be_taken_up_again(bench):
    code = "import signal,time;signal.signal(15,signal.SIG_IGN);print('deaf',flush=True);time.sleep(300)"
    unit = bench.make(*python(code))
    async with bench.watched(unit) as seen:
        await unit.start()
        pid = seen.last.main_pid
        await until(lambda: "deaf" in unit.log.read_text(), "the program to be deaf")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await unit.stop()
        assert (seen.last.state, seen.last.alive) == (UnitState.STOPPING, True)
        await unit.stop()
        assert (seen.last.state, running(pid)) == (UnitState.STOPPED, False)


async def test_a_restart_that_is_cut_short_between_its_halves_is_finished_by_supervision(bench, tmp_path):
    script = f"(trap '' TERM; while :; do sleep 0.1; done) & echo $! > {tmp_path}/deaf; exec sleep 300"
    unit = bench.make("/bin/sh", "-c", script)
    async with bench.watched(unit) as seen:
        await unit.start()
        first = seen.last.incarnation
        await until(lambda: (tmp_path / "deaf").exists(), "the orphan")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await unit.restart()
        await until(lambda: seen.last.alive and seen.last.incarnation != first, "the second half")
        await unit.stop()


async def test_start_does_not_wait_for_the_restart_delay(bench):
    unit = bench.make(*sleeper(), manners=replace(QUICK, restart=60.0))
    async with bench.watched(unit) as seen:
        await unit.start()
        os.kill(seen.last.main_pid, signal.SIGKILL)
        await seen.state(UnitState.RESTARTING)
        await unit.start()
        assert seen.last.state is UnitState.RUNNING
        assert seen.last.own_restarts == ()
        await unit.stop()


async def test_no_life_is_missed_however_short(bench):
    unit = bench.make("/bin/sh", "-c", "exit 0", manners=replace(QUICK, restart=0.0, burst=4))
    async with bench.watched(unit) as seen:
        await unit.start()
        await seen.state(UnitState.FAILED)
        lives = [reading.incarnation for reading in seen.readings if reading.alive]
        assert len(set(lives)) == 4
        assert len(seen.last.own_restarts) == 3


async def test_what_gave_up_stays_so_for_the_next_agent_until_a_start(bench):
    unit = bench.make("/bin/sh", "-c", "exit 1", manners=replace(QUICK, restart=0.0))
    async with bench.watched(unit) as seen:
        await unit.start()
        await seen.state(UnitState.FAILED)
    second = bench.make(*sleeper())
    async with bench.watched(second) as seen:
        assert seen.last.state is UnitState.FAILED
        await second.start()
        assert seen.last.state is UnitState.RUNNING
        await second.stop()


async def test_our_own_keys_are_not_in_the_childs_environment(bench, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    unit = bench.make("/bin/sh", "-c", "env; exec sleep 300", GIVEN="yes")
    await unit.start()
    await until(lambda: "GIVEN=yes" in unit.log.read_text(), "its environment")
    said = unit.log.read_text()
    assert "NOTIFY_SOCKET" not in said
    assert "CREDENTIALS_DIRECTORY" not in said
    await unit.stop()


async def test_the_log_is_kept_within_its_bound_while_it_runs(bench):
    manners = replace(QUICK, log_bytes=1000, log_look=0.02)
    unit = bench.make("/bin/sh", "-c", "while :; do echo 0123456789; sleep 0.001; done", manners=manners)
    async with bench.watched(unit):
        await unit.start()
        old = unit.log.with_name("engine.log.1")
        await until(old.exists, "the log to be cut")
        await until(lambda: unit.log.stat().st_size > 0, "the child to write on")
        await unit.stop()


async def test_a_start_that_cannot_be_recorded_is_refused_and_a_stop_is_not(bench, record):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        blocker = record.with_name(".engine.json.new")
        blocker.mkdir()
        await unit.stop()
        assert seen.last.state is UnitState.STOPPED
        with pytest.raises(PortError, match=r"cannot write .*engine.json"):
            await unit.start()
        assert not seen.last.alive
        blocker.rmdir()
        await until(lambda: seen.last.alive, "supervision to try again")
        await unit.stop()


async def test_terminate_is_one_more_sigterm_while_a_stop_waits(bench):
    code = "import signal,sys,time;n=[0]\ndef h(*a):\n  n[0]+=1\n  if n[0]==2: sys.exit(5)\n"
    code += "signal.signal(15,h);print('up',flush=True)\nwhile True: time.sleep(300)"
    unit = bench.make(*python(code), manners=replace(QUICK, stop=30.0))
    async with bench.watched(unit) as seen:
        await unit.start()
        await until(lambda: "up" in unit.log.read_text(), "its handler")
        async with asyncio.TaskGroup() as group:
            group.create_task(unit.stop())
            await seen.state(UnitState.STOPPING)
            await asyncio.sleep(0.1)  # two signals of a kind at once would be one
            unit.terminate()
        assert seen.last.exit == "exit code 5"
        unit.terminate()  # of nothing: no error


async def test_a_program_that_cannot_be_executed_is_said_and_tried_again(bench, tmp_path):
    program = tmp_path / "engine"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    unit = bench.make(str(program))
    async with bench.watched(unit) as seen:
        with pytest.raises(PortError, match="cannot start"):
            await unit.start()
        assert seen.last.state is UnitState.RESTARTING
        program.write_text("#!/bin/sh\nexec sleep 300\n")
        await until(lambda: seen.last.alive, "the next try")
        await unit.stop()


async def test_two_units_do_not_meet(bench, tmp_path):
    engine, connector = bench.make(*sleeper()), bench.make(*sleeper(), name="connector")
    async with bench.watched(engine) as first, bench.watched(connector) as second:
        await engine.start()
        await connector.start()
        await engine.stop()
        assert second.last.state is UnitState.RUNNING
        assert first.last.state is UnitState.STOPPED
        await connector.stop()


async def test_a_deed_needs_no_watch(tmp_path):
    unit = ChildUnit(Command("engine", sleeper()), tmp_path / "run", BootClock(), QUICK)
    await unit.start()
    pid = json.loads((tmp_path / "run" / "units" / "engine.json").read_text())["main"]["leader"]["pid"]
    assert running(pid)
    await unit.stop()
    assert not running(pid)


async def test_a_list_of_processes_that_hangs_saves_nobody_from_sigkill(bench):
    """Whoever reads about a process that is stuck in the kernel may hang as well."""
    unit = bench.make("/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.05; done")
    async with bench.watched(unit) as seen:
        await unit.start()
        main, stuck = seen.last.main_pid, threading.Event()
        await until(lambda: "deaf" in unit.log.read_text(), "the program to be deaf")
        with pytest.raises(PortError):
            await unit._aside.read(stuck.wait, 0.05)
        with pytest.raises(PortError, match="still hangs"):
            await unit.stop()
        await until(lambda: not running(main), "its death")
        stuck.set()
        await until(lambda: not unit._aside._busy, "the end of the reading")
        await unit.stop()


async def test_a_log_that_cannot_be_shortened_keeps_nobody_from_being_started(bench):
    unit = bench.make(*sleeper(), manners=replace(QUICK, log_bytes=10))
    unit.log.parent.mkdir(parents=True)
    unit.log.write_text("x" * 20)
    unit.log.with_name("engine.log.1").mkdir()  # as on a full disk: there is no place for what is cut off
    async with bench.watched(unit) as seen:
        await unit.start()
        assert seen.last.state is UnitState.RUNNING
        await unit.stop()


async def test_a_record_that_somebody_removes_is_written_anew(bench, record):
    unit = bench.make(*sleeper(), manners=replace(QUICK, log_look=0.02))
    async with bench.watched(unit) as seen:
        await unit.start()
        pid = seen.last.main_pid
        shutil.rmtree(record.parent)
        await until(record.exists)
        assert json.loads(record.read_text())["main"]["leader"]["pid"] == pid
