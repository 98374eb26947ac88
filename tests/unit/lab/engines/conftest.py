"""Engines inside the test's own process, with their real children."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestClient, TestServer

from inferagent.lab.engines import ollama_env
from inferagent.lab.engines.link import Link
from inferagent.lab.engines.loader import Loader
from inferagent.lab.engines.models import Models
from inferagent.lab.engines.ollama_app import Server as OllamaServer
from inferagent.lab.engines.vllm_app import Server as VllmServer
from inferagent.lab.engines.vllm_options import parse


@asynccontextmanager
async def client_of(app):
    server = TestServer(app, host="127.0.0.1")
    async with TestClient(server) as client:
        yield client


@pytest.fixture
def engine(monkeypatch):
    """A ready EngineCore with its Worker: `async with engine(seqs) as link`."""
    monkeypatch.setenv("LAB_START_SECONDS", "0")
    monkeypatch.setenv("LAB_TOKENS_PER_SECOND", "200")

    @asynccontextmanager
    async def start(seqs=4):
        news = asyncio.Queue()
        link = await Link.start("m", seqs)
        async with asyncio.TaskGroup() as group:
            group.create_task(link.read(news))
            try:
                assert await news.get() == "ready"
                yield link
            finally:
                await link.close()

    return start


@pytest.fixture
def vllm(engine):
    """A client of the vLLM stand-in's HTTP face: `async with vllm(*options) as (client, server)`."""

    @asynccontextmanager
    async def start(*more):
        options = parse(["serve", "m", "--served-model-name", "chat", "--max-model-len", "1024", *more], "1")
        async with engine(options.max_num_seqs) as link:
            server = VllmServer(options, link)
            async with client_of(server.app()) as client:
                yield client, server

    return start


@pytest.fixture
def loader(monkeypatch, tmp_path):
    """A loader with a model `chat`: `async with loader(LAB_X="1") as (loader, model)`."""

    @asynccontextmanager
    async def start(**more):
        defaults = {"OLLAMA_MODELS": str(tmp_path), "LAB_LOAD_SECONDS": "0", "LAB_TOKENS_PER_SECOND": "200"}
        for name, value in {**defaults, **more}.items():
            monkeypatch.setenv(name, value)
        models = Models(tmp_path)
        models.make_up("chat")
        async with asyncio.TaskGroup() as group:
            loader = Loader(ollama_env.read(), group)
            try:
                yield loader, models.get("chat")
            finally:
                await loader.close()

    return start


@pytest.fixture
def ollama(loader, tmp_path):
    """A client of the Ollama stand-in's HTTP face: `async with ollama() as (client, server)`."""

    @asynccontextmanager
    async def start(**more):
        async with loader(**more) as (loading, _):
            server = OllamaServer(loading.environment, Models(tmp_path), loading)
            async with client_of(server.app()) as client:
                yield client, server

    return start


@pytest.fixture
def until():
    """Waits until a condition holds, at most `seconds`."""

    async def wait(condition, seconds=5.0):
        async with asyncio.timeout(seconds):
            while True:
                if condition():
                    return
                await asyncio.sleep(0.01)

    return wait
