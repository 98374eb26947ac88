"""The Ollama stand-in as a program, and its commands."""

import asyncio
import signal
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest

from inferagent.lab.demo.world import free_ports
from inferagent.lab.engines import launch
from inferagent.lab.engines.ollama import parse
from inferagent.lab.processes import Program, session_of


@pytest.fixture
def place(tmp_path):
    port = free_ports(1)[0]
    return {**launch.ollama_environment(port, tmp_path / "models"), "LAB_LOAD_SECONDS": "0"}


@asynccontextmanager
async def serving(place, log):
    program = await Program.start(launch.ollama("serve"), place, log)
    try:
        async with aiohttp.ClientSession(f"http://{place['OLLAMA_HOST']}") as session, asyncio.timeout(20):
            while True:
                try:
                    async with session.get("/"):
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.02)
            yield program, session
    finally:
        await program.end()


async def run(place, log, *arguments):
    command = await Program.start(launch.ollama(*arguments), place, log)
    return await command.ended(20)


async def test_commands_and_a_sigterm_that_cuts(place, tmp_path, until):
    log = tmp_path / "log"
    async with serving({**place, "LAB_MODELS": "chat"}, log) as (program, session):
        for arguments, code in (
            (("pull", "llama3:8b"), 0),
            (("cp", "llama3:8b", "public"), 0),
            (("cp", "nope", "public"), 1),
            (("list",), 0),
        ):
            assert await run(place, log, *arguments) == code, arguments
        for wanted in ("chat:latest", "llama3:8b", "public:latest", "Error: model 'nope' not found"):
            assert wanted in log.read_text()
        ask = {"model": "public", "prompt": "hello", "max_tokens": 30000, "stream": True}
        response = await session.post("/v1/completions", json=ask)
        await response.content.readline()
        program.signal(signal.SIGTERM)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
        assert await program.ended(5) == 0
        await until(lambda: session_of(program.pid) == [], 5)


async def test_a_taken_port_is_exit_1(place, tmp_path):
    host, _, port = place["OLLAMA_HOST"].rpartition(":")
    with socket.socket() as taken:
        taken.bind((host, int(port)))
        taken.listen()
        assert await run(place, tmp_path / "log", "serve") == 1
    assert "Error: listen tcp" in (tmp_path / "log").read_text()


async def test_a_command_without_a_server_is_exit_1(place, tmp_path):
    assert await run(place, tmp_path / "log", "list") == 1
    assert "cannot reach the server" in (tmp_path / "log").read_text()


async def test_the_version_needs_no_server(place, tmp_path):
    assert await run(place, tmp_path / "log", "--version") == 0
    assert "ollama version is" in (tmp_path / "log").read_text()


def test_a_command_is_needed(capsys):
    with pytest.raises(SystemExit) as ended:
        parse([])
    assert ended.value.code == 2
    assert "name a command" in capsys.readouterr().err
