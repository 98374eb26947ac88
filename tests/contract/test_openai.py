"""What every engine behind the public name has in common, on stand-ins and on the real programs.

llama.cpp's server stands here as an engine that the agent has no kind for: INFERAGENT_LLAMACPP names an
interpreter that has xllamacpp, INFERAGENT_LLAMACPP_MODEL a small GGUF file.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_engines import (
    PUBLIC,
    READY_SECONDS,
    Engine,
    named,
    running,
    said,
    stream_events,
)

from inferagent.adapters.clock import BootClock
from inferagent.adapters.engine.vllm import VllmEngine
from inferagent.lab.demo.world import free_ports
from inferagent.lab.engines import launch
from inferagent.lab.processes import Program
from inferagent.model.engine import EngineLook, Outcome
from inferagent.model.reading import NotAvailable, known

pytestmark = pytest.mark.timeout(1200)
SERVER = Path(__file__).parents[1] / "real" / "llama_server.py"
TALK: dict[str, Any] = {
    "model": PUBLIC,
    "messages": [{"role": "user", "content": "hello"}],
    "max_tokens": 6,
    "ignore_eos": True,
}
PLAIN: dict[str, Any] = {"model": PUBLIC, "prompt": "hello world", "max_tokens": 6, "ignore_eos": True}
LONG: dict[str, Any] = {**PLAIN, "max_tokens": 3500, "stream": True}


@asynccontextmanager
async def vllm(kind: str, folder: Path) -> AsyncIterator[Engine]:
    program, model = named("INFERAGENT_VLLM", kind), named("INFERAGENT_VLLM_MODEL", kind)
    port = free_ports(1)[0]
    command = launch.vllm(port, PUBLIC, ("--max-num-seqs", "4"), program, model)
    quick = {} if program else {"LAB_START_SECONDS": "0.1", "LAB_TOKENS_PER_SECOND": "400"}
    async with running(command, quick, port, "/health", READY_SECONDS[kind], folder / "log") as engine:
        yield engine


def modelfile_of(weights: str, folder: Path) -> Path:
    """For a real file of weights, or one made up."""
    made_up = folder / "weights.gguf"
    made_up.write_bytes(b"GGUF" * 1000)
    modelfile = folder / "Modelfile"
    modelfile.write_text(f"FROM {weights or made_up}\n")
    return modelfile


@asynccontextmanager
async def ollama(kind: str, folder: Path) -> AsyncIterator[Engine]:
    program, weights = named("INFERAGENT_OLLAMA", kind), named("INFERAGENT_OLLAMA_MODEL", kind)
    port = free_ports(1)[0]
    environment = launch.ollama_environment(port, folder / "models")
    modelfile = modelfile_of(weights, folder)
    command = launch.ollama("serve", program=program)
    async with running(command, environment, port, "/", READY_SECONDS[kind], folder / "log") as engine:
        create = launch.ollama("create", PUBLIC, "-f", str(modelfile), program=program)
        created = await Program.start(create, environment, folder / "log")
        assert await created.ended(60) == 0, said(folder / "log")
        yield engine


@asynccontextmanager
async def llamacpp(kind: str, folder: Path) -> AsyncIterator[Engine]:
    program, weights = named("INFERAGENT_LLAMACPP", kind), named("INFERAGENT_LLAMACPP_MODEL", kind)
    port = free_ports(1)[0]
    command = [program, str(SERVER), weights, str(port), PUBLIC]
    async with running(command, {}, port, "/health", READY_SECONDS[kind], folder / "log") as engine:
        yield engine


ENGINES = {
    "vllm-stand-in": (vllm, "stand-in"),
    "vllm-real": (vllm, "real"),
    "ollama-stand-in": (ollama, "stand-in"),
    "ollama-real": (ollama, "real"),
    "llama.cpp-real": (llamacpp, "real"),
}


@pytest.mark.parametrize("which", ENGINES)
async def test_an_engine_behind_the_public_name(which: str, tmp_path: Path) -> None:
    start, kind = ENGINES[which]
    async with start(kind, tmp_path) as engine:
        await expect_plain_answers(engine)
        await expect_streams(engine)
        await expect_refusals(engine)


async def expect_plain_answers(engine: Engine) -> None:
    status, raw = await engine.get("/v1/models")
    listed = json.loads(raw)
    assert (status, listed["object"]) == (200, "list")
    assert PUBLIC in {one["id"].removesuffix(":latest") for one in listed["data"]}
    for path, asked in (("/v1/completions", PLAIN), ("/v1/chat/completions", TALK)):
        status, raw = await engine.post(path, **asked)
        whole = json.loads(raw)
        (choice,) = whole["choices"]
        usage = whole["usage"]
        assert (status, choice["index"], choice["finish_reason"]) == (200, 0, "length")
        assert choice.get("text") or choice["message"]["content"]
        assert usage["completion_tokens"] == 6
        assert usage["total_tokens"] == usage["prompt_tokens"] + 6
        assert whole["id"]
        assert whole["created"]


async def expect_streams(engine: Engine) -> None:
    for path, asked in (("/v1/completions", PLAIN), ("/v1/chat/completions", TALK)):
        wanted = {**asked, "stream": True, "stream_options": {"include_usage": True}}
        async with engine.session.post(f"{engine.url}{path}", json=wanted) as response:
            assert response.status == 200
            assert response.content_type == "text/event-stream"
            *chunks, done = stream_events(await response.read())
        assert done == "[DONE]"
        # Most tell it in a chunk of its own; llama.cpp with the last piece of a plain completion.
        assert chunks[-1]["usage"]["completion_tokens"] == 6
        choices = [choice for chunk in chunks for choice in chunk["choices"]]
        assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["length"]
        spoken = [choice.get("text") or choice.get("delta", {}).get("content") for choice in choices]
        assert any(spoken)


async def expect_refusals(engine: Engine) -> None:
    """An engine of one model may serve every name; none may answer 200 without a word."""
    for path, asked in (("/v1/completions", PLAIN), ("/v1/chat/completions", TALK)):
        status, raw = await engine.post(path, **{**asked, "model": "nope"})
        if status == 200:
            assert json.loads(raw)["usage"]["completion_tokens"] == 6
        else:
            assert status == 404
            assert json.loads(raw)["error"]
        async with engine.session.post(f"{engine.url}{path}", data=b"{nothing") as response:
            assert response.status in (400, 500)
            assert "error" in json.loads(await response.read())
    assert (await engine.get("/nowhere"))[0] == 404


async def test_the_agent_looks_at_an_engine_that_it_has_no_kind_for(tmp_path: Path) -> None:
    """As kind vllm: it accepts, names its models and generates; what it does not count is n/a, never ill."""
    async with llamacpp("real", tmp_path) as engine:
        adapter = VllmEngine(
            engine.url,
            (PUBLIC,),
            clock=BootClock(),
            pid=lambda: engine.program.pid,
            incarnation=lambda: "one",
        )
        try:
            await expect_looks(engine, adapter)
        finally:
            await adapter.aclose()


async def expect_looks(engine: Engine, adapter: VllmEngine) -> None:
    look: EngineLook = await adapter.look()
    assert known(look.accepts) is True
    assert PUBLIC in (known(look.models) or ())
    assert isinstance(look.load, NotAvailable)
    assert (await adapter.generate(20.0)).outcome is Outcome.OK
    async with asyncio.TaskGroup() as group:
        users = [group.create_task(engine.post("/v1/completions", **LONG)) for _ in range(2)]
        await asyncio.sleep(0.3)  # both slots are taken now; nothing in its answers says so
        looks = [await adapter.look() for _ in range(5)]
        for user in users:
            user.cancel()
    assert all(known(look.accepts) is True for look in looks)
    assert all(isinstance(look.progress, NotAvailable) for look in looks)
