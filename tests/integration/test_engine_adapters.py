"""The engine adapters on running engines: the stand-ins, and the real programs where they are named.

INFERAGENT_VLLM and INFERAGENT_OLLAMA name the programs, INFERAGENT_VLLM_MODEL the folder of a small model and
INFERAGENT_OLLAMA_MODEL a small GGUF file for them.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.adapters.local_bench import closed_port

from inferagent.adapters.clock import BootClock
from inferagent.adapters.engine.ollama import OllamaEngine
from inferagent.adapters.engine.vllm import VllmEngine
from inferagent.adapters.knock import listens
from inferagent.lab.engines import launch
from inferagent.lab.processes import Program, kill, worker
from inferagent.model.engine import EngineLook, Load, Outcome
from inferagent.model.reading import NotAvailable, Value, known

pytestmark = pytest.mark.timeout(1200)
PUBLIC = "chat"
START = {"stand-in": 60.0, "real": 900.0}  # where others keep the machine busy
LONG = {
    "model": PUBLIC,
    "messages": [{"role": "user", "content": "go on"}],
    "stream": True,
    "max_tokens": 900,
}
FAST = {"LAB_START_SECONDS": "0.6", "LAB_TOKENS_PER_SECOND": "200", "LAB_DEATH_SECONDS": "0.2"}
NEIGHBOUR = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plug:
    body = sys.argv[2].encode()
    plug.sendall(b"POST /v1/chat/completions HTTP/1.1\\r\\nHost: localhost\\r\\n")
    plug.sendall(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    while plug.recv(65536):
        pass
"""


@dataclass
class Running:
    """An engine's process and its adapter."""

    program: Program
    engine: Any
    url: str
    port: int
    connector: dict[str, int] = field(default_factory=dict)

    async def look_until(self, wanted: Callable[[EngineLook], bool], seconds: float) -> EngineLook:
        pause = 0.05
        async with asyncio.timeout(seconds):
            while not wanted(look := await self.engine.look()):
                await asyncio.sleep(pause)
                pause = min(2.0, pause * 1.1)  # a real engine needs the machine to start
        return look

    async def signatures(self) -> tuple[Any, Any]:
        """What moves, at two looks."""
        first = await self.engine.look()
        await asyncio.sleep(0.3)
        second = await self.engine.look()
        return known(first.progress).signature, known(second.progress).signature

    def worker(self) -> int:
        found = worker(self.program.pid)
        assert found is not None
        return found.pid


@pytest.fixture(params=["stand-in", "real"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def named(variable: str, kind: str) -> str:
    """What the variable says, for the real program; skips when it says nothing."""
    value = os.environ.get(variable, "") if kind == "real" else ""
    if kind == "real" and not value:
        pytest.skip(f"REAL ENGINE NOT TESTED: {variable} is not set")
    return value


def accepting(look: EngineLook) -> bool:
    return known(look.accepts) is True


@pytest.fixture
async def vllm(kind: str, tmp_path: Path) -> AsyncIterator[Running]:
    """Just started, and not yet accepting."""
    port = closed_port()
    program, model = named("INFERAGENT_VLLM", kind), named("INFERAGENT_VLLM_MODEL", kind)
    command = launch.vllm(port, PUBLIC, ("--max-num-seqs", "4"), program, model)
    running = await Program.start(command, FAST, tmp_path / "log")
    engine = VllmEngine(
        f"http://127.0.0.1:{port}",
        (PUBLIC,),
        clock=BootClock(),
        pid=lambda: running.pid,
        incarnation=lambda: "one",
    )
    try:
        yield Running(running, engine, f"http://127.0.0.1:{port}", port)
    finally:
        await engine.aclose()
        await running.end()


@asynccontextmanager
async def streaming(running: Running) -> AsyncIterator[None]:
    """A user's stream that has begun."""
    async with httpx.AsyncClient(timeout=60) as client:
        url = f"{running.url}/v1/chat/completions"
        async with client.stream("POST", url, json=LONG) as response:
            assert response.status_code == 200
            pieces = response.aiter_raw()
            await anext(pieces)
            yield
            await pieces.aclose()


async def test_vllm_from_its_start_to_the_death_of_its_worker(vllm: Running, kind: str) -> None:
    early = await vllm.engine.look()
    assert known(early.accepts) is False
    later = await vllm.look_until(lambda look: known(look.warmup) != known(early.warmup), 10)
    assert accepting(later) or known(later.warmup).cpu_seconds >= known(early.warmup).cpu_seconds
    look = await vllm.look_until(accepting, START[kind])
    assert known(look.models) == {PUBLIC}
    assert known(look.load) == Load(0, 0)
    assert isinstance(look.lan, NotAvailable)
    assert (await vllm.engine.generate(30.0)).outcome is Outcome.OK
    one, two = await vllm.signatures()
    assert one == two
    async with streaming(vllm):
        assert known((await vllm.engine.look()).load) == Load(1, 0)
        one, two = await vllm.signatures()
        assert one != two
    kill(vllm.worker())
    await vllm.look_until(lambda look: known(look.accepts) is False, 15)
    assert (await vllm.engine.generate(5.0)).outcome is Outcome.WRONG


async def test_vllm_hung_in_its_worker_and_in_its_server(vllm: Running, kind: str) -> None:
    await vllm.look_until(accepting, START[kind])
    assert (await vllm.engine.generate(30.0)).outcome is Outcome.OK
    async with streaming(vllm):
        stopped = vllm.worker()
        kill(stopped, signal.SIGSTOP)
        assert (await vllm.engine.generate(0.6)).outcome is Outcome.UNANSWERED
        one, two = await vllm.signatures()
        assert one == two
        assert accepting(await vllm.engine.look())
        kill(stopped, signal.SIGCONT)
        assert (await vllm.engine.generate(20.0)).outcome is Outcome.OK
        one, two = await vllm.signatures()
        assert one != two
    vllm.program.signal(signal.SIGSTOP)
    look = await vllm.engine.look()
    assert accepting(look)
    assert [part for part, _ in known(look.progress).signature] == ["main_cpu"]
    assert known((await vllm.engine.look()).progress) == known(look.progress)
    assert (await vllm.engine.generate(0.6)).outcome is Outcome.UNANSWERED
    vllm.program.signal(signal.SIGCONT)
    assert (await vllm.engine.generate(20.0)).outcome is Outcome.OK


@pytest.fixture
async def ollama(kind: str, tmp_path: Path) -> AsyncIterator[Running]:
    """Accepting, with the public model there and not loaded."""
    port = closed_port()
    program, weights = named("INFERAGENT_OLLAMA", kind), named("INFERAGENT_OLLAMA_MODEL", kind)
    environment = launch.ollama_environment(port, tmp_path / "models") | {
        "LAB_LOAD_SECONDS": "1.0",
        "LAB_TOKENS_PER_SECOND": "50",
        "LAB_BURN": "0.2",
    }
    (tmp_path / "weights.gguf").write_bytes(b"GGUF" * 1000)
    (tmp_path / "Modelfile").write_text(f"FROM {weights or tmp_path / 'weights.gguf'}\n")
    connector: dict[str, int] = {}
    running = await Program.start(launch.ollama("serve", program=program), environment, tmp_path / "log")
    engine = OllamaEngine(
        f"http://127.0.0.1:{port}",
        (PUBLIC,),
        clock=BootClock(),
        pid=lambda: running.pid,
        incarnation=lambda: "one",
        connector=lambda: connector.get("pid", 0),
    )
    one = Running(running, engine, f"http://127.0.0.1:{port}", port, connector)
    try:
        # Not by the adapter: it would keep the empty list of models for a while.
        async with asyncio.timeout(START[kind]):
            while not await listens("127.0.0.1", port):  # noqa: ASYNC110 (a process's condition)
                await asyncio.sleep(0.02)
        create = launch.ollama("create", PUBLIC, "-f", str(tmp_path / "Modelfile"), program=program)
        created = await Program.start(create, environment, tmp_path / "log")
        assert await created.ended(60) == 0, (tmp_path / "log").read_text()[-2000:]
        yield one
    finally:
        await engine.aclose()
        await running.end()


async def loaded(running: Running) -> list[dict[str, Any]]:
    async with httpx.AsyncClient() as client:
        found: list[dict[str, Any]] = (await client.get(f"{running.url}/api/ps")).json()["models"]
        return found


async def test_ollama_loads_as_long_as_it_takes(ollama: Running, kind: str) -> None:
    look = await ollama.engine.look()
    assert {PUBLIC, f"{PUBLIC}:latest"} <= known(look.models)
    deadline = 0.3 if kind == "stand-in" else 8.0
    outcomes = [(await ollama.engine.generate(deadline)).outcome for _ in range(8)]
    assert outcomes[-1] is Outcome.OK
    if kind == "stand-in":
        assert outcomes[0] is Outcome.UNANSWERED
    after = await ollama.engine.look()
    assert known(after.progress) != known(look.progress)
    assert known(after.warmup).memory_bytes > known(look.warmup).memory_bytes


async def test_ollama_keeps_the_stay_that_a_user_chose(ollama: Running) -> None:
    await ollama.engine.generate(30.0)
    async with httpx.AsyncClient(timeout=30) as client:
        body = {"model": PUBLIC, "prompt": "hi", "stream": False, "keep_alive": "100s"}
        body |= {"options": {"num_predict": 2}}
        assert (await client.post(f"{ollama.url}/api/generate", json=body)).status_code == 200
    # The client above was of this very process, and so counts as the agent itself.
    (before,) = await loaded(ollama)
    await asyncio.sleep(2.0)  # so that a stay begun anew would end 2 s later
    assert (await ollama.engine.generate(30.0)).outcome is Outcome.OK

    async def later() -> float:
        (after,) = await loaded(ollama)
        ends = [datetime.fromisoformat(one["expires_at"]) for one in (before, after)]
        return abs((ends[1] - ends[0]).total_seconds())

    # The engine takes the end of the last request a moment after it has answered it.
    async with asyncio.timeout(5):
        while await later() > 0.9:  # noqa: ASYNC110 (a process's condition)
            await asyncio.sleep(0.05)
    assert await later() <= 0.9


async def test_ollama_hung_in_its_runner_while_others_wait_and_poll(ollama: Running) -> None:
    assert (await ollama.engine.generate(30.0)).outcome is Outcome.OK
    one, two = await ollama.signatures()
    assert one == two
    body = '{"model": "chat", "max_tokens": 4000, "messages": [{"role": "user", "content": "go on"}]}'
    neighbour = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", NEIGHBOUR, str(ollama.port), body
    )
    try:
        await ollama.look_until(lambda look: known(look.lan) == 1, 5)
        one, two = await ollama.signatures()
        assert one != two
        kill(ollama.worker(), signal.SIGSTOP)
        assert (await ollama.engine.generate(0.5)).outcome is Outcome.UNANSWERED
        await ollama.engine.look()
        async with httpx.AsyncClient() as client:
            await client.get(f"{ollama.url}/api/tags")
            one, two = await ollama.signatures()
        assert one == two
        assert accepting(await ollama.engine.look())
        ollama.connector["pid"] = neighbour.pid
        assert known((await ollama.engine.look()).lan) == 0
    finally:
        neighbour.kill()
        await neighbour.wait()


async def test_ollama_gone(ollama: Running) -> None:
    await ollama.program.end()
    look = await ollama.engine.look()
    assert look.accepts == Value(False, look.accepts.at)
    assert (await ollama.engine.generate(5.0)).outcome is Outcome.WRONG
