"""The EngineCore as the process that it is: batches, a waiting line, a frozen Worker, a lost server."""

import asyncio
import json
import os
import signal
import time
from contextlib import asynccontextmanager

from inferagent.lab.engines.child import Child, argv
from inferagent.lab.processes import kill, look


@asynccontextmanager
async def core(**more):
    settings = {
        "rate": 200.0,
        "prefill": 0.0,
        "prefill_tokens": 0.0,
        "seqs": 2,
        "orphan": 60.0,
        "worker": argv("worker.py", "m", "0"),
    }
    reading, keep = os.pipe()
    child = await Child.start(argv("core.py", json.dumps({**settings, "keep": keep, **more})), keep=(keep,))
    heard = child.read()
    worker = (await anext(heard))["worker"]
    assert (await anext(heard))["ready"]
    try:
        yield child, heard, worker
    finally:
        kill(worker)
        child.kill()
        await child.process.wait()
        os.close(reading)
        os.close(keep)


async def made(heard, done):
    """Tokens by request until so many are done, with the highest running and waiting seen."""
    tokens, ended, running, waiting = {}, [], 0, 0
    while len(ended) < done:
        message = await anext(heard)
        ended += message.get("done", [])
        running, waiting = max(running, message["running"]), max(waiting, message["waiting"])
        for name, count in message["tokens"].items():
            tokens[name] = tokens.get(name, 0) + count
    return tokens, running, waiting


async def test_each_request_gets_its_tokens_two_at_a_time():
    async with core() as (child, heard, _):
        for number in range(5):
            child.tell({"add": f"r{number}", "prompt": 3, "tokens": 10 + number})
        tokens, running, waiting = await made(heard, 5)
        assert tokens == {f"r{number}": 10 + number for number in range(5)}
        assert running == 2
        assert waiting >= 1


async def test_an_abort_takes_the_request_away():
    async with core() as (child, heard, _):
        child.tell({"add": "r1", "prompt": 3, "tokens": 100_000})
        await anext(heard)
        child.tell({"abort": "r1"})
        while (message := await anext(heard)).get("aborted") != "r1":
            assert message["running"] == 1
        assert (message["running"], message["waiting"]) == (0, 0)


async def test_prefill_makes_steps_without_tokens():
    async with core(prefill=0.1) as (child, heard, _):
        child.tell({"add": "r1", "prompt": 7, "tokens": 1})
        silent = 0
        while not (message := await anext(heard))["tokens"]:
            assert message["running"] == 1
            silent += 1
        assert silent == 5
        assert message["prefilled"] == {"r1": 7}


async def test_a_short_prompt_is_read_in_less_time_and_a_long_one_fills_the_cache_meanwhile():
    async with core(prefill=0.4, prefill_tokens=160) as (child, heard, _):
        child.tell({"add": "short", "prompt": 40, "tokens": 1})
        silent = []
        while not (message := await anext(heard))["tokens"]:
            silent.append(message["blocks"])
        assert len(silent) == 5
        assert message["blocks"] == 0  # it has ended
        child.tell({"add": "long", "prompt": 160, "tokens": 1})
        filled = []
        while not (message := await anext(heard))["tokens"]:
            filled.append(message["blocks"])
        assert len(filled) == 20
        assert filled == sorted(filled)
        assert len(set(filled)) == 10


async def test_nothing_is_said_while_the_worker_is_stopped():
    async with core() as (child, heard, worker):
        kill(worker, signal.SIGSTOP)
        child.tell({"add": "r1", "prompt": 3, "tokens": 2})
        said = asyncio.ensure_future(anext(heard))
        ready, _ = await asyncio.wait([said], timeout=0.3)
        assert not ready
        kill(worker, signal.SIGCONT)
        assert (await said)["tokens"] == {"r1": 2}


async def test_a_dead_worker_is_reported_and_ends_it():
    async with core() as (child, heard, worker):
        kill(worker)
        assert (await anext(heard))["dead"]
        assert await child.process.wait() == 0


async def test_it_outlives_the_server_for_its_time(until):
    async with core(orphan=0.3) as (child, _, worker):
        begun = time.monotonic()
        child.process.stdin.close()
        assert await child.process.wait() == 0
        assert time.monotonic() - begun >= 0.3
        await until(lambda: (found := look(worker)) is None or found.state == "Z")
