"""The vLLM stand-in as a program: how it starts, and the ways in which it ends."""

import asyncio
import signal
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest

from inferagent.lab.demo.world import free_ports
from inferagent.lab.engines import launch
from inferagent.lab.processes import Program, kill, session_of, worker

LONG = {"model": "chat", "prompt": "hello", "max_tokens": 30000}


@pytest.fixture
def program(tmp_path):
    """`async with program(port, **environment) as (program, log)`: started, and ended with all it left."""

    @asynccontextmanager
    async def start(port, more=(), model="", **environment):
        wanted = {"LAB_START_SECONDS": "0", **environment}
        started = await Program.start(launch.vllm(port, "chat", more, model=model), wanted, tmp_path / "log")
        try:
            yield started, tmp_path / "log"
        finally:
            await started.end()

    return start


@asynccontextmanager
async def open_stream(port, seconds=10.0):
    """A stream that has begun, once the port is open."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    url = f"http://127.0.0.1:{port}/v1/completions"
                    response = await session.post(url, json={**LONG, "stream": True})
                    break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.02)
            await response.content.readline()
        yield response
        response.close()


async def test_sigterm_aborts_what_is_open(program, until):
    port = free_ports(1)[0]
    async with program(port) as (engine, _), open_stream(port) as response:
        engine.signal(signal.SIGTERM)
        rest = await response.content.read()
        assert b'"error"' in rest
        assert rest.endswith(b"data: [DONE]\n\n")
        assert await engine.ended(5) == 0
        await until(lambda: session_of(engine.pid) == [], 5)


async def test_sigterm_may_leave_clients_hanging(program):
    port = free_ports(1)[0]
    async with program(port, LAB_SIGTERM="hang") as (engine, _):
        async with open_stream(port) as response:
            engine.signal(signal.SIGTERM)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.content.read(), 0.5)
            assert engine.exit_code is None
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
        assert await engine.ended(5) == 0


async def test_a_shutdown_timeout_that_runs_out_aborts(program):
    port = free_ports(1)[0]
    async with program(port, ("--shutdown-timeout", "0.3")) as (engine, _), open_stream(port) as response:
        engine.signal(signal.SIGTERM)
        assert b'"error"' in await response.content.read()
        assert await engine.ended(5) == 0


async def test_a_taken_port_or_a_missing_model_is_exit_1(program, until):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with program(taken.getsockname()[1]) as (engine, log):
            assert await engine.ended(10) == 1
            assert "cannot listen" in log.read_text()
            await until(lambda: session_of(engine.pid) == [], 5)
    async with program(free_ports(1)[0], model="/no/such/model") as (engine, log):
        assert await engine.ended(10) == 1
        assert "cannot find a model" in log.read_text()


async def test_while_it_starts_it_can_be_ended_or_lose_its_worker(program, until):
    async with program(free_ports(1)[0], LAB_START_SECONDS="60") as (engine, _):
        await until(lambda: worker(engine.pid), 10)
        engine.signal(signal.SIGTERM)
        assert await engine.ended(5) == 0
        await until(lambda: session_of(engine.pid) == [], 5)
    async with program(free_ports(1)[0], LAB_START_SECONDS="60") as (engine, log):
        await until(lambda: worker(engine.pid), 10)
        kill(worker(engine.pid).pid)
        assert await engine.ended(5) == 1
        assert "the engine died" in log.read_text()
