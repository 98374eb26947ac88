"""One suite for each engine's stand-in and, where one is named, for the real program.

INFERAGENT_VLLM and INFERAGENT_OLLAMA name the programs, INFERAGENT_VLLM_MODEL the folder of a small
model and INFERAGENT_OLLAMA_MODEL a small GGUF file for them.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from inferagent.lab.demo.world import free_ports
from inferagent.lab.engines import launch
from inferagent.lab.processes import Process, Program, below, kill, look, worker

pytestmark = pytest.mark.timeout(1200)
PUBLIC = "chat"
READY_SECONDS = {"stand-in": 60.0, "real": 900.0}  # where others keep the machine busy
METRICS = (
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:kv_cache_usage_perc",
    "vllm:generation_tokens_total",
    "vllm:prompt_tokens_total",
    "vllm:request_success_total",
    "vllm:num_preemptions_total",
    "vllm:engine_sleep_state",
    "vllm:time_to_first_token_seconds_count",
    "vllm:iteration_tokens_total_count",
)


@dataclass
class Engine:
    """A running engine and a client of it."""

    program: Program
    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        async with self.session.get(f"{self.url}{path}", headers=headers) as response:
            return response.status, await response.read()

    async def post(self, path: str, **body: Any) -> tuple[int, bytes]:
        async with self.session.post(f"{self.url}{path}", json=body) as response:
            return response.status, await response.read()

    async def refused(self) -> bool:
        try:
            await self.get("/health")
        except aiohttp.ClientError:
            return True
        return False

    async def unanswered(self, path: str, seconds: float, **body: Any) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.post(path, **body)
        except TimeoutError:
            return True
        return False

    async def metric(self, name: str) -> float:
        """Summed over all its labels."""
        _, text = await self.get("/metrics")
        lines = [line for line in text.decode().splitlines() if line.startswith(name + "{")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def worker(self) -> Process:
        found = worker(self.program.pid)
        assert found is not None
        return found


Start = Callable[..., AbstractAsyncContextManager[Engine]]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


def named(variable: str, kind: str) -> str:
    """The real program's path, or what the variable says; skips when it says nothing."""
    if kind == "stand-in":
        return ""
    value = os.environ.get(variable, "")
    if not value:
        pytest.skip(f"REAL ENGINE NOT TESTED: {variable} is not set")
    return value


def stream_events(raw: bytes) -> list[Any]:
    """The bodies of a stream of events; the terminator is the string it is."""
    data = [line[5:].strip() for line in raw.splitlines() if line.startswith(b"data:")]
    return ["[DONE]" if one == b"[DONE]" else json.loads(one) for one in data]


def said(log: Path) -> str:
    return log.read_text()[-2000:]


@asynccontextmanager
async def running(
    command: list[str], environment: dict[str, str], port: int, ready: str, seconds: float, log: Path
) -> AsyncIterator[Engine]:
    program = await Program.start(command, environment, log)
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
            engine = Engine(program, f"http://127.0.0.1:{port}", session)

            async def answers() -> bool:
                assert program.exit_code is None, said(log)
                try:
                    return (await engine.get(ready))[0] == 200
                except aiohttp.ClientError:
                    return False

            await until(answers, seconds)
            yield engine
    finally:
        await program.end()


@pytest.fixture(params=["stand-in", "real"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def vllm(kind: str, tmp_path: Path) -> Start:
    program, model = named("INFERAGENT_VLLM", kind), named("INFERAGENT_VLLM_MODEL", kind)
    port = free_ports(1)[0]
    environment = (
        {"LAB_START_SECONDS": "0.1", "LAB_TOKENS_PER_SECOND": "400", "LAB_DEATH_SECONDS": "0.3"}
        if kind == "stand-in"
        else {}
    )

    def start(*more: str) -> AbstractAsyncContextManager[Engine]:
        command = launch.vllm(port, PUBLIC, ("--max-num-seqs", "4", *more), program, model)
        return running(command, environment, port, "/health", READY_SECONDS[kind], tmp_path / "log")

    return start


@pytest.fixture
def ollama(kind: str, tmp_path: Path) -> Start:
    program, weights = named("INFERAGENT_OLLAMA", kind), named("INFERAGENT_OLLAMA_MODEL", kind)
    port = free_ports(1)[0]
    environment = launch.ollama_environment(port, tmp_path / "models")
    modelfile = tmp_path / "Modelfile"
    if not weights:
        weights = str(tmp_path / "weights.gguf")
        Path(weights).write_bytes(b"GGUF" * 1000)
    modelfile.write_text(f"FROM {weights}\n")

    @asynccontextmanager
    async def start(**more: str) -> AsyncIterator[Engine]:
        wanted = {**environment, **more}
        command = launch.ollama("serve", program=program)
        async with running(command, wanted, port, "/", READY_SECONDS[kind], tmp_path / "log") as engine:
            create = launch.ollama("create", PUBLIC, "-f", str(modelfile), program=program)
            created = await Program.start(create, wanted, tmp_path / "log")
            assert await created.ended(60) == 0, said(tmp_path / "log")
            yield engine

    return start


LONG = {"model": PUBLIC, "prompt": "hello world", "max_tokens": 900, "ignore_eos": True}
SHORT = {"model": PUBLIC, "prompt": "hello world", "max_tokens": 6, "ignore_eos": True}
TALK = {
    "model": PUBLIC,
    "messages": [{"role": "user", "content": "hello"}],
    "max_tokens": 6,
    "ignore_eos": True,
}


async def test_vllm_answers(vllm: Start) -> None:
    async with vllm() as engine:
        assert (await engine.get("/ping"))[0] == 200
        assert "version" in json.loads((await engine.get("/version"))[1])
        assert json.loads((await engine.get("/v1/models"))[1])["data"][0]["id"] == PUBLIC
        status, raw = await engine.post("/v1/completions", **SHORT)
        whole = json.loads(raw)
        assert (status, whole["usage"]["completion_tokens"]) == (200, 6)
        assert whole["choices"][0]["finish_reason"] == "length"
        *chunks, usage, done = stream_events(
            (
                await engine.post(
                    "/v1/chat/completions", **TALK, stream=True, stream_options={"include_usage": True}
                )
            )[1]
        )
        assert (done, usage["usage"]["completion_tokens"], usage["choices"]) == ("[DONE]", 6, [])
        assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
        assert chunks[-1]["choices"][0]["finish_reason"] == "length"
        status, raw = await engine.post("/v1/completions", **{**SHORT, "model": "nope"})
        assert (status, json.loads(raw)["error"]["type"]) == (404, "NotFoundError")
        text = (await engine.get("/metrics"))[1].decode()
        for name in METRICS:
            assert f'{name}{{engine="0",' in text, name
        assert await engine.metric("vllm:generation_tokens_total") == 12
        names = [process.name for process in below(engine.program.pid)]
        assert names[-2:] == ["VLLM::EngineCor", "VLLM::Worker"]
        assert len(names) == 3


async def test_vllm_hangs_with_its_http_alive(vllm: Start) -> None:
    async with vllm() as engine, asyncio.TaskGroup() as group:
        under_way = group.create_task(engine.post("/v1/completions", **LONG))

        async def busy() -> bool:
            return await engine.metric("vllm:num_requests_running") == 1

        await until(busy)
        kill(engine.worker().pid, signal.SIGSTOP)
        assert await engine.unanswered("/v1/completions", 0.8, **SHORT)
        frozen = await engine.metric("vllm:generation_tokens_total")
        assert await engine.unanswered("/v1/completions", 0.3, **SHORT)
        assert await engine.metric("vllm:generation_tokens_total") == frozen
        assert await engine.metric("vllm:num_requests_running") == 1
        assert (await engine.get("/health"))[0] == 200
        under_way.cancel()


async def test_a_dead_worker_ends_streams_like_good_ones(vllm: Start) -> None:
    async with vllm() as engine, asyncio.TaskGroup() as group:
        stream = group.create_task(engine.post("/v1/completions", **LONG, stream=True))
        plain = group.create_task(engine.post("/v1/completions", **LONG))

        async def busy() -> bool:
            return await engine.metric("vllm:num_requests_running") == 2

        await until(busy)
        kill(engine.worker().pid)
        status, raw = await stream
        events = stream_events(raw)
        assert (status, events[-1]) == (200, "[DONE]")
        assert "error" in events[-2]
        assert (await plain)[0] == 500
        await until(engine.refused, 10)
        assert await engine.program.ended(10) == 0


async def test_a_killed_vllm_leaves_its_children(vllm: Start) -> None:
    async with vllm() as engine:
        children = below(engine.program.pid)
        engine.program.signal(signal.SIGKILL)
        assert await engine.program.ended(5) == -signal.SIGKILL
        await until(engine.refused)
        left = [process for child in children if (process := look(child.pid)) and process.state != "Z"]
        assert {process.name for process in left} >= {"VLLM::EngineCor", "VLLM::Worker"}
        assert len(left) == 3


async def test_vllm_ends_what_it_began_within_its_shutdown_timeout(vllm: Start) -> None:
    async with vllm("--shutdown-timeout", "20") as engine, asyncio.TaskGroup() as group:
        under_way = group.create_task(engine.post("/v1/completions", **{**LONG, "max_tokens": 300}))

        async def busy() -> bool:
            return await engine.metric("vllm:num_requests_running") == 1

        async def refuses() -> bool:
            return (await engine.post("/v1/completions", **{**SHORT, "max_tokens": 1}))[0] == 500

        await until(busy)
        engine.program.signal(signal.SIGTERM)
        await until(refuses, 2)
        assert (await engine.get("/health"))[0] == 200
        status, raw = await under_way
        assert (status, json.loads(raw)["usage"]["completion_tokens"]) == (200, 300)
        assert await engine.program.ended(40) == 0


async def test_ollama_answers(ollama: Start) -> None:
    async with ollama() as engine:
        assert await engine.get("/") == (200, b"Ollama is running")
        assert await engine.get("/metrics") == (404, b"404 page not found")
        assert await engine.get("/", Host="gpu-home.example.com") == (403, b"")
        assert json.loads((await engine.get("/api/ps"))[1]) == {"models": []}
        assert json.loads((await engine.get("/api/tags"))[1])["models"][0]["name"] == "chat:latest"
        assert json.loads((await engine.get("/v1/models"))[1])["data"][0]["id"] == "chat:latest"
        wanted = {"model": PUBLIC, "prompt": "hello world", "options": {"num_predict": 5}}
        whole = json.loads((await engine.post("/api/generate", **wanted, stream=False))[1])
        assert whole["done"] is True
        assert 1 <= whole["eval_count"] <= 5
        lines = [json.loads(line) for line in (await engine.post("/api/generate", **wanted))[1].splitlines()]
        assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
        loaded = json.loads((await engine.get("/api/ps"))[1])["models"][0]
        assert {"size", "size_vram", "expires_at", "digest"} <= loaded.keys()
        whole = json.loads((await engine.post("/v1/completions", **SHORT))[1])
        assert 1 <= whole["usage"]["completion_tokens"] <= 6
        *_, usage, done = stream_events(
            (
                await engine.post(
                    "/v1/chat/completions", **TALK, stream=True, stream_options={"include_usage": True}
                )
            )[1]
        )
        assert done == "[DONE]"
        assert 1 <= usage["usage"]["completion_tokens"] <= 6
        assert (await engine.post("/api/copy", source=PUBLIC, destination="other"))[0] == 200
        assert (await engine.post("/v1/completions", **{**SHORT, "model": "other"}))[0] == 200
        for path in ("/api/generate", "/v1/completions"):
            status, raw = await engine.post(path, model="nope", prompt="hello")
            assert (status, "error" in json.loads(raw)) == (404, True)


async def test_ollama_survives_its_runner(ollama: Start) -> None:
    async with ollama() as engine:
        assert (await engine.post("/v1/completions", **SHORT))[0] == 200
        first = engine.worker()
        kill(first.pid)
        await until(lambda: gone(first.pid))
        assert json.loads((await engine.get("/api/ps"))[1])["models"]
        assert (await engine.get("/"))[0] == 200

        async def again() -> bool:
            return (await engine.post("/v1/completions", **SHORT))[0] == 200

        await until(again)
        assert engine.worker().pid != first.pid
        kill(engine.worker().pid, signal.SIGSTOP)
        assert await engine.unanswered("/v1/completions", 0.5, **SHORT)
        assert (await engine.get("/"))[0] == 200
        assert json.loads((await engine.get("/api/ps"))[1])["models"]
        stopped = engine.worker()
        engine.program.signal(signal.SIGTERM)
        assert await engine.program.ended(10) == 0
        await until(lambda: gone(stopped.pid))


async def gone(pid: int) -> bool:
    found = look(pid)
    return found is None or found.state == "Z"


async def test_a_killed_ollama_leaves_its_runner(ollama: Start) -> None:
    async with ollama() as engine:
        assert (await engine.post("/v1/completions", **SHORT))[0] == 200
        runner = engine.worker()
        engine.program.signal(signal.SIGKILL)
        assert await engine.program.ended(5) == -signal.SIGKILL
        await until(engine.refused)
        assert not await gone(runner.pid)


async def test_ollama_unloads_when_keep_alive_is_over(ollama: Start) -> None:
    async with ollama(OLLAMA_KEEP_ALIVE="300ms") as engine:
        assert (await engine.post("/v1/completions", **SHORT))[0] == 200
        runner = engine.worker()

        async def unloaded() -> bool:
            return json.loads((await engine.get("/api/ps"))[1]) == {"models": []} and await gone(runner.pid)

        await until(unloaded)
        assert (await engine.post("/v1/completions", **SHORT))[0] == 200


async def test_a_model_whose_file_is_spoilt_is_listed_and_refused(ollama: Start, tmp_path: Path) -> None:
    async with ollama(OLLAMA_KEEP_ALIVE="0") as engine:
        assert (await engine.post("/v1/completions", **SHORT))[0] == 200
        blobs = [one for one in (tmp_path / "models" / "blobs").iterdir() if one.stat().st_size > 2000]
        blob = max(blobs, key=lambda one: one.stat().st_size)
        content = blob.read_bytes()

        async def answers(status: int) -> bool:
            return (await engine.post("/v1/completions", **SHORT))[0] == status

        blob.write_bytes(content[: len(content) * 3 // 5])
        await until(lambda: answers(500))
        blob.unlink()
        await until(lambda: answers(400))
        assert json.loads((await engine.get("/api/tags"))[1])["models"][0]["name"] == "chat:latest"
        blob.write_bytes(content)
        await until(lambda: answers(200))
