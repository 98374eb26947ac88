"""Runs that outlive their agent: ended before the next of the same, and nobody else ever."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract.units_bench import running, until

from inferagent.adapters import orphan
from inferagent.adapters.program import Program
from inferagent.ports import PortError

AGENT = """
import asyncio, sys
from pathlib import Path
from inferagent.adapters.program import Program
script, record = sys.argv[1:]
asyncio.run(Program(["/bin/sh", "-c", script], 60.0, record=Path(record)).run())
"""


def number(path: Path) -> int:
    return int(path.read_text().strip() or 0) if path.exists() else 0


def agent_that_runs(*arguments: str | Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", AGENT, *arguments])


async def orphaned(folder: Path, script: str) -> int:
    """The pid of a run whose agent was killed in its middle."""
    pid = folder / "pid"
    agent = agent_that_runs(f"echo $$ > {pid}; {script}", folder / "record")
    await until(lambda: bool(number(pid)), "it runs", 20.0)
    await until(lambda: bool((folder / "record").exists()), "it is recorded")
    agent.kill()
    agent.wait()
    assert running(number(pid))
    return number(pid)


async def test_the_next_agent_ends_it_before_its_own_begins(tmp_path):
    old = await orphaned(tmp_path, f"sleep 77 & echo $! > {tmp_path}/child; wait")
    alone = f"grep -q ') [^ZX] ' /proc/{old}/stat 2>/dev/null && echo two of them; echo done"
    ended = await Program(["/bin/sh", "-c", alone], 5.0, record=tmp_path / "record").run()
    assert ended.out == b"done\n"
    assert not running(old)
    assert not running(number(tmp_path / "child"))


async def test_what_its_leader_has_left_behind_is_ended_too(tmp_path):
    script = f"trap '' HUP; sh -c 'echo $$ > {tmp_path}/child; exec sleep 77' & sleep 77"
    leader = await orphaned(tmp_path, script)
    await until(lambda: bool(number(tmp_path / "child")), "its child")
    os.kill(leader, signal.SIGKILL)
    await until(lambda: not running(leader), "its end")
    orphan.end_last(tmp_path / "record")
    assert not running(number(tmp_path / "child"))


def test_another_process_of_the_same_number_is_let_be(tmp_path):
    other = subprocess.Popen(["sleep", "77"], start_new_session=True)
    try:
        who = orphan.identify(other.pid)
        assert who is not None
        (tmp_path / "record").write_text(f"{who.pid} {who.start - 1}")
        orphan.end_last(tmp_path / "record")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("content", ["", "x y", "1", "4194305 1\n", "1 2 3"])
def test_a_record_that_says_nothing_ends_nobody(tmp_path, content):
    (tmp_path / "record").write_text(content)
    orphan.end_last(tmp_path / "record")
    orphan.end_last(tmp_path / "none")
    orphan.note(tmp_path / "record", 4194305)
    assert (tmp_path / "record").read_text() == content


async def test_one_that_does_not_end_is_said(tmp_path):
    """As a process that is stuck in the kernel would not."""
    await orphaned(tmp_path, "sleep 77")
    with pytest.raises(PortError, match="the run of an earlier agent cannot be ended"):
        orphan.end_last(tmp_path / "record", sure=0.0)
    orphan.end_last(tmp_path / "record")
