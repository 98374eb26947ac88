"""A small proxy before an engine: it passes everything on, or answers in the engine's place.

It listens only while the engine does, so that a booting or dead engine looks the same with it as without.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

LOOK = 0.1  # seconds between two looks at the engine's port
HOP = {"transfer-encoding", "content-length", "connection", "keep-alive", "host", "accept-encoding"}
Answer = tuple[int, str, bytes]  # status, content type, body


@dataclass
class Proxy:
    """`generations`: what POST on /v1 is answered with instead, None: what the engine answers.

    `metrics` changes the text of /metrics; `asked` is called for each generation before it is passed on.
    """

    port: int
    engine_port: int
    generations: Answer | None = None
    metrics: Callable[[str], str] = str
    asked: Callable[[], None] | None = None
    _site: web.TCPSite | None = field(default=None, repr=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        unbounded = aiohttp.ClientTimeout(total=None)
        try:
            async with (
                aiohttp.ClientSession(timeout=unbounded, auto_decompress=False) as self._session,
                asyncio.TaskGroup() as group,
            ):
                following = group.create_task(self._follow(runner))
                yield self
                following.cancel()
        finally:
            await runner.cleanup()

    async def _follow(self, runner: web.AppRunner) -> None:
        while True:
            there = await listens(self.engine_port)
            if there and self._site is None:
                self._site = web.TCPSite(runner, "127.0.0.1", self.port)
                await self._site.start()
            if not there:
                await self._close()
            await asyncio.sleep(LOOK)

    async def _close(self) -> None:
        site, self._site = self._site, None
        if site is not None:
            await site.stop()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        generation = request.method == "POST" and request.path.startswith("/v1/")
        if generation and self.asked is not None:
            self.asked()
        if generation and self.generations is not None:
            status, kind, text = self.generations
            return web.Response(status=status, body=text, headers={"Content-Type": kind})
        try:
            return await self._passed_on(request, body)
        except (aiohttp.ClientError, OSError):
            # As the engine itself would leave it: the connection ends without a word, and the port with it.
            if not await listens(self.engine_port):
                await self._close()
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    async def _passed_on(self, request: web.Request, body: bytes) -> web.StreamResponse:
        url = f"http://127.0.0.1:{self.engine_port}{request.path_qs}"
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP]
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP]
            if request.path == "/metrics":
                text = self.metrics((await answer.read()).decode())
                return web.Response(status=answer.status, body=text.encode(), headers=kept)
            passed = web.StreamResponse(status=answer.status, headers=kept)
            await passed.prepare(request)
            async for chunk in answer.content.iter_any():
                await passed.write(chunk)
            await passed.write_eof()
            return passed


async def listens(port: int) -> bool:
    """Whether somebody takes connections at this loopback port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
