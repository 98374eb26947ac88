import asyncio
import json
import os
import signal
import socket
import threading
from contextlib import contextmanager

import pytest
from tests.contract.units_bench import running, until
from tests.unit.programs.ready_bench import ask, listening, verdict

from inferagent.adapters import process
from inferagent.lab.demo.world import free_ports
from inferagent.ports import PortError
from inferagent.programs.ready_starter import ensure


@pytest.fixture
def port():
    return free_ports(1)[0]


@pytest.fixture
def engine():
    with listening() as made:
        yield f"127.0.0.1:{made.getsockname()[1]}"


@pytest.fixture
def run(tmp_path):
    """The runtime folder; what was started from it is ended, by its own record."""
    yield tmp_path
    pids = {json.loads(file.read_text())["pid"] for file in tmp_path.glob("ready.json")}
    for pid in pids | set(started):
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            continue
        process.reap(pid)
    started.clear()


started: list[int] = []


async def begin(run, port, engine):
    started.append(await ensure(run, port, engine))
    return started[-1]


async def test_it_is_started_once_detached_and_answers(run, port, engine):
    pid = await begin(run, port, engine)
    verdict(run, True)
    assert ask(port)[0] == 200
    assert os.getsid(pid) == pid
    assert await begin(run, port, engine) == pid


async def test_one_that_died_is_started_anew(run, port, engine):
    pid = await begin(run, port, engine)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not running(pid), "its end")
    assert await begin(run, port, engine) != pid
    assert ask(port)[0] == 503


class Hammer(threading.Thread):
    """Asks without a pause and counts what did not come."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port, self.asked, self.failed, self.over = port, 0, [], threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            self.asked += 1
            try:
                code = ask(self.port)[0]
            except (OSError, IndexError) as error:
                self.failed.append(repr(error))
                continue
            if code != 200:
                self.failed.append(code)


@contextmanager
def hammered(port: int):
    hammers = [Hammer(port) for _ in range(3)]
    for hammer in hammers:
        hammer.start()
    try:
        yield hammers
    finally:
        for hammer in hammers:
            hammer.over.set()
        for hammer in hammers:
            hammer.join()


async def test_another_version_takes_over_and_not_one_request_is_refused(run, port, engine):
    verdict(run, True)
    pids = [await begin(run, port, engine)]
    with listening() as second, hammered(port) as hammers:
        other = second.getsockname()[1]
        for address in (f"127.0.0.1:{other}", engine, f"localhost:{other}"):
            pids += [await begin(run, port, address)]
    assert len(set(pids)) == 4
    assert sum(hammer.asked for hammer in hammers) > 100
    assert [failure for hammer in hammers for failure in hammer.failed] == []
    assert [running(pid) for pid in pids] == [False, False, False, True]


async def test_one_that_hangs_is_replaced(run, port, engine):
    pid = await begin(run, port, engine)
    os.kill(pid, signal.SIGSTOP)
    other = await begin(run, port, engine)
    assert other != pid
    assert not running(pid)
    assert ask(port)[0] == 503


async def test_another_port_moves_it(run, port, engine):
    first = await begin(run, port, engine)
    other = free_ports(1)[0]
    await begin(run, other, engine)
    assert ask(other)[0] == 503
    assert not running(first)
    with pytest.raises(ConnectionRefusedError):
        ask(port)


async def test_a_port_that_is_taken_is_said(run, engine):
    with listening() as taken, pytest.raises(PortError, match="cannot listen on"):
        await ensure(run, taken.getsockname()[1], engine)


async def test_a_program_that_cannot_start_says_why(run, port):
    with pytest.raises(PortError, match="cannot start the ready program"):
        await ensure(run, port, "no-such-host.invalid:1")
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))  # nothing holds the port


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pid": 1, "start": 1, "tag": "", "port": 1, "boot": "x"}']
)
async def test_a_bad_record_is_no_record(run, port, engine, content):
    (run / "ready.json").write_text(content)
    assert running(await begin(run, port, engine))


async def test_a_pid_that_is_another_processs_now_is_left_alone(run, port, engine):
    await begin(run, port, engine)
    record = json.loads((run / "ready.json").read_text())
    os.kill(record["pid"], signal.SIGKILL)
    await until(lambda: not running(record["pid"]), "its end")
    (run / "ready.json").write_text(json.dumps(record | {"pid": os.getpid(), "port": port + 1}))
    await begin(run, port, engine)
    assert ask(port)[0] == 503


async def test_an_agent_that_ended_half_way_through_a_replacement_leaves_no_second_program(run, port, engine):
    """The old one would answer half of the requests, by an engine's port of yesterday."""
    with listening() as second:
        other = f"127.0.0.1:{second.getsockname()[1]}"
        old = await begin(run, port, engine)
        half = asyncio.ensure_future(ensure(run, port, other))
        await until(lambda: json.loads((run / "ready.json").read_text())["pid"] != old, "the new program")
        half.cancel()
        await asyncio.wait([half])
        new = json.loads((run / "ready.json").read_text())["pid"]
        started.append(new)
        assert running(old), "not yet ended: else this test shows nothing"
        assert await begin(run, port, other) == new
        assert [running(old), running(new)] == [False, True]
    assert sorted(path.name for path in run.glob("ready.*.json")) == []
