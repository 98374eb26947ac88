"""The proxy before an engine: there only while the engine is, faithful until it is told otherwise."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from tests.matrix.proxy import Proxy, listens
from tests.support.scenario import until

from inferagent.lab.demo.world import free_ports


class Engine:
    """Answers like one, at a port; `gate` holds the second half of a stream back."""

    def __init__(self, port):
        self.port, self.gate, self.cut = port, asyncio.Event(), False

    async def stream(self, request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Lab-Host": "a"})
        await response.prepare(request)
        await response.write(b"data: one\n\n")
        await self.gate.wait()
        if self.cut:
            request.transport.abort()
            return response
        await response.write(b"data: " + await request.read() + b"\n\n")
        return response

    async def metrics(self, _request):
        return web.Response(text="vllm:num_requests_running 1.0\n")

    @asynccontextmanager
    async def running(self):
        app = web.Application()
        app.add_routes([web.post("/v1/completions", self.stream), web.get("/metrics", self.metrics)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield
        finally:
            await runner.cleanup()


async def until_listens(port, wanted=True):
    async def holds():
        return await listens(port) is wanted

    await until(holds, f"port {port}: {wanted}", 5)


@asynccontextmanager
async def both():
    """Proxy and engine, up, with a client's session."""
    engine = Engine(free_ports(1)[0])
    async with (
        Proxy(free_ports(1)[0], engine.port).running() as proxy,
        engine.running(),
        aiohttp.ClientSession(base_url=f"http://127.0.0.1:{proxy.port}") as session,
    ):
        await until_listens(proxy.port)
        yield proxy, engine, session


async def test_it_listens_while_the_engine_does():
    engine = Engine(free_ports(1)[0])
    async with Proxy(free_ports(1)[0], engine.port).running() as proxy:
        assert not await listens(proxy.port)
        for _ in range(2):
            async with engine.running():
                await until_listens(proxy.port)
            await until_listens(proxy.port, wanted=False)


async def test_a_stream_is_passed_on_as_it_comes():
    async with both() as (_, engine, session), session.post("/v1/completions", data=b"two") as answer:
        assert (answer.status, answer.headers["X-Lab-Host"]) == (200, "a")
        assert await answer.content.readline() == b"data: one\n"
        engine.gate.set()
        assert (await answer.read()).endswith(b"data: two\n\n")


async def test_an_answer_that_breaks_off_breaks_off_behind_the_proxy_too():
    async with both() as (_, engine, session):
        engine.cut = True
        async with session.post("/v1/completions", data=b"two") as answer:
            await answer.content.readline()
            engine.gate.set()
            with pytest.raises(aiohttp.ClientError):
                await answer.read()


async def test_it_answers_generations_in_the_engines_place_and_nothing_else():
    async with both() as (proxy, _, session):
        asked = []
        proxy.asked = lambda: asked.append(1)
        proxy.generations = (500, "application/json", b"{}")
        async with session.post("/v1/completions", data=b"two") as answer:
            assert (answer.status, await answer.read()) == (500, b"{}")
        proxy.metrics = lambda text: text.replace("running", "busy")
        async with session.get("/metrics") as answer:
            assert (answer.status, await answer.text()) == (200, "vllm:num_requests_busy 1.0\n")
        assert asked == [1]
