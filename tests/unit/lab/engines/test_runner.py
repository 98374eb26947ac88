"""The runner as the process that it is."""

import asyncio
import json
import signal
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from inferagent.lab.engines.child import Child, argv
from inferagent.lab.processes import kill, look


@asynccontextmanager
async def runner(tmp_path, **more):
    model = tmp_path / "weights"
    model.write_bytes(b"w" * 1_000_000)
    settings = {"size": 0, "rate": 200.0, "prefill": 0.0, "burn": 0.02, "load": 0.0, "orphan": 60.0, **more}
    child = await Child.start(argv("runner.py", "runner", "--model", str(model), json.dumps(settings)))
    heard = child.read()
    try:
        assert await anext(heard) == {"ready": True}
        yield child, heard
    finally:
        child.kill()
        await child.process.wait()


def cpu_ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def tokens_of(heard, wanted):
    made = {}
    while sum(made.values()) < wanted:
        for name, count in (await anext(heard))["tokens"].items():
            made[name] = made.get(name, 0) + count
    return made


async def test_a_file_without_its_end_cannot_be_loaded(tmp_path):
    with pytest.raises(RuntimeError, match="StopAsyncIteration"):
        async with runner(tmp_path, size=1_000_001):
            pass


async def test_requests_share_the_steps(tmp_path):
    async with runner(tmp_path) as (child, heard):
        child.tell({"add": "a", "tokens": 10})
        child.tell({"add": "b", "tokens": 25})
        assert await tokens_of(heard, 35) == {"a": 10, "b": 25}
        assert look(child.pid).name == "ollama"


async def test_the_rate_holds(tmp_path):
    async with runner(tmp_path, rate=50.0) as (child, heard):
        begun = time.monotonic()
        child.tell({"add": "a", "tokens": 20})
        await tokens_of(heard, 20)
        assert 0.3 < time.monotonic() - begun < 5.0


async def test_an_abort_takes_the_request_away(tmp_path):
    async with runner(tmp_path) as (child, heard):
        child.tell({"add": "a", "tokens": 100_000})
        await anext(heard)
        child.tell({"abort": "a"})
        child.tell({"add": "b", "tokens": 5})
        made = {}
        while "b" not in made:
            made = (await anext(heard))["tokens"]
        assert "a" not in made


async def test_prefill_makes_steps_without_tokens(tmp_path):
    async with runner(tmp_path, prefill=0.1) as (child, heard):
        child.tell({"add": "a", "tokens": 1})
        silent = 0
        while not (await anext(heard))["tokens"]:
            silent += 1
        assert silent == 5


async def test_work_shows_as_cpu_time_and_rest_does_not(tmp_path):
    async with runner(tmp_path, burn=0.5) as (child, heard):
        resting = cpu_ticks(child.pid)
        await asyncio.sleep(0.2)  # the time over which rest is measured
        assert cpu_ticks(child.pid) - resting <= 1
        child.tell({"add": "a", "tokens": 80})
        await tokens_of(heard, 80)
        assert cpu_ticks(child.pid) - resting >= 10


async def test_a_stopped_runner_says_nothing(tmp_path):
    async with runner(tmp_path) as (child, heard):
        kill(child.pid, signal.SIGSTOP)
        child.tell({"add": "a", "tokens": 4})
        said = asyncio.ensure_future(anext(heard))
        ready, _ = await asyncio.wait([said], timeout=0.3)
        assert not ready
        kill(child.pid, signal.SIGCONT)
        assert (await said)["tokens"] == {"a": 4}


async def test_it_outlives_the_server_for_its_time(tmp_path):
    async with runner(tmp_path, orphan=0.3) as (child, _):
        begun = time.monotonic()
        child.process.stdin.close()
        assert await child.process.wait() == 0
        assert time.monotonic() - begun >= 0.3


async def test_loading_takes_its_time(tmp_path):
    begun = time.monotonic()
    async with runner(tmp_path, load=0.3):
        assert time.monotonic() - begun >= 0.3
