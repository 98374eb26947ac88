"""Programs in sessions of their own, and what /proc says of them."""

import asyncio
import os
import signal
import sys

import pytest

from inferagent.lab.processes import Program, below, kill, look, session_of, worker

# A parent whose child is named like an engine's worker; both wait.
FAMILY = """
import subprocess, sys, time
child = "open('/proc/self/comm','w').write('VLLM::Worker'); import time; time.sleep(60)"
subprocess.Popen([sys.executable, '-S', '-c', child])
time.sleep(60)
"""


async def family(tmp_path, until):
    program = await Program.start([sys.executable, "-S", "-c", FAMILY], {}, tmp_path / "log")
    await until(lambda: worker(program.pid))
    return program


@pytest.fixture
def until():
    async def wait(condition):
        async with asyncio.timeout(10):
            while True:
                if condition():
                    return
                await asyncio.sleep(0.01)

    return wait


async def test_the_worker_is_found_below(tmp_path, until):
    program = await family(tmp_path, until)
    child = worker(program.pid)
    assert [process.pid for process in below(program.pid)] == [child.pid]
    assert (child.parent, child.session, child.name) == (program.pid, program.pid, "VLLM::Worker")
    await program.end()


async def test_end_takes_orphans_and_stopped_processes(tmp_path, until):
    program = await family(tmp_path, until)
    child = worker(program.pid).pid
    kill(child, signal.SIGSTOP)
    await until(lambda: look(child).state == "T")
    program.signal(signal.SIGKILL)
    assert await program.ended(5) == -signal.SIGKILL
    assert [process.pid for process in session_of(program.pid)] == [child]
    await program.end()
    assert session_of(program.pid) == []


async def test_exit_codes_environment_and_log(tmp_path):
    log = tmp_path / "log"
    script = "import os, sys; print(os.environ['LAB_X']); sys.exit(3)"
    program = await Program.start([sys.executable, "-S", "-c", script], {"LAB_X": "y"}, log)
    assert await program.ended(10) == 3
    assert program.exit_code == 3
    assert log.read_text() == "y\n"
    program.signal(signal.SIGTERM)


async def test_ended_has_a_bound(tmp_path):
    program = await Program.start(
        [sys.executable, "-S", "-c", "import time; time.sleep(60)"], {}, tmp_path / "log"
    )
    with pytest.raises(TimeoutError):
        await program.ended(0.1)
    assert program.exit_code is None
    await program.end()


def test_this_process():
    found = look(os.getpid())
    assert (found.pid, found.parent, found.state) == (os.getpid(), os.getppid(), "R")
    assert look(2**22 + 1) is None
    assert worker(2**22 + 1) is None
