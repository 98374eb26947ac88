"""What faults of engines are made of: processes found and stopped, commands changed, times read."""

import json
import os
import signal
import sys
import time
from contextlib import asynccontextmanager

import pytest
from tests.matrix.faults.common import StartScript, born, events, family, found, given, stop_all

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.programs import Connector, Engine
from inferagent.lab.processes import Program, kill, look

TWO = "import subprocess as s, sys\ns.Popen([sys.executable, '-c', 'input()'], stdin=s.PIPE).wait()"


def host_in(folder):
    engine = Engine("vllm", "", False, ("prog", "--port", "1"), "chat", {"A": "1"})
    folder.joinpath("run", "units").mkdir(parents=True)
    return Host("a", 1, folder, engine, Connector("", False, ("c",)), 1, 2, 3)


@asynccontextmanager
async def engine_of(host):
    """A main process with a child, on record as the host's engine."""
    program = await Program.start([sys.executable, "-c", TWO], {}, host.folder / "log")
    record = {"main": {"leader": {"pid": program.pid}}}
    (host.run / "units" / "engine.json").write_text(json.dumps(record))
    try:
        yield program
    finally:
        await program.end()


async def test_the_whole_family_is_stopped(tmp_path):
    host = host_in(tmp_path)
    assert family(host) == []
    async with engine_of(host) as program:
        child = await found(lambda: next((one for one in family(host) if one.pid != program.pid), None), "it")
        stop_all(host)
        assert {one.pid: one.state for one in family(host)} == {program.pid: "T", child.pid: "T"}
        kill(child.pid, signal.SIGCONT)
        assert look(program.pid).state == "T"


async def test_what_does_not_come_is_named():
    with pytest.raises(AssertionError, match="a worker"):
        await found(lambda: None, "a worker", 0.1)


def test_words_and_environment_are_added(tmp_path):
    host = host_in(tmp_path)
    given(host, "--x", B="2")
    assert host.engine.command == ("prog", "--port", "1", "--x")
    assert host.engine.environment == {"A": "1", "B": "2"}


async def test_the_start_script_becomes_what_it_says(tmp_path):
    host = host_in(tmp_path)
    script = StartScript.of(host)
    assert script.path.read_text() == "exec prog --port 1\n"
    script.says((sys.executable, "-c", "import os; print(os.getpid(), 'a b')"))
    program = await Program.start(list(host.engine.command), {}, tmp_path / "log")
    assert await program.ended(10) == 0
    assert (tmp_path / "log").read_text() == f"{program.pid} a b\n"


def test_a_process_was_born_when_it_was():
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert 0 < born(os.getpid()) <= now


def test_events_are_read_line_by_line(tmp_path):
    host = host_in(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "events.jsonl").write_text('{"at": 1}\n{"at": 2}\n')
    assert [one["at"] for one in events(host)] == [1, 2]
