"""The public side: HTTP/1.1 on loopback, plain and by TLS; the Host header names the hostname meant."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from inferagent.lab.edge.connection import TunnelConnection
from inferagent.lab.edge.counters import DIRECT, Counters
from inferagent.lab.edge.door import Door
from inferagent.lab.edge.forward import Head, read_head, request_headers
from inferagent.lab.edge.router import Router
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.lab.edge.steering import Refusal, Target
from inferagent.lab.edge.tunnels import Tunnels
from inferagent.lab.wire.stream import LinkClosedError, Stream, StreamFailedError

SMALL = 64 * 1024
RETRIED = frozenset({521, 522, 523, 525, 526})
Alternative = Callable[[], Target | None]
DEAD_TUNNEL = Refusal(530, "1033")
BAD_GATEWAY = Refusal(502, "502")
TOO_SLOW = Refusal(524, "524")


@dataclass(slots=True)
class Begun:
    """A response whose head has come."""

    stream: Stream
    head: Head


class PublicSide:
    """`faults`, pool id to status: what a pool's endpoints fail with, before any connector is asked."""

    def __init__(self, tunnels: Tunnels, router: Router, settings: EdgeSettings, counters: Counters) -> None:
        self.port = settings.public_port
        self.tls_port = settings.public_tls_port
        self.faults: dict[str, int] = {}
        self.door = Door()
        self._tunnels, self._router = tunnels, router
        self._settings, self._counters = settings, counters
        self._runner: web.ServerRunner | None = None

    async def listen(self, context: ssl.SSLContext | None = None) -> None:
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        if context is not None:
            await web.TCPSite(self._runner, "127.0.0.1", self.tls_port, ssl_context=context).start()
            self.tls_port = self._runner.addresses[1][1]

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        hostname = (request.host or "").partition(":")[0].lower()
        if (shut := self.door.refusal(hostname, request)) is not None:
            self._counters.statuses[str(shut.status)] += 1
            return shut
        target = self._router.route(hostname)
        if isinstance(target, Refusal):
            return self._refuse(target)
        whole = await self._small_body(request)
        first = await self._serve(request, target, whole, lambda: self._router.again(hostname, target))
        if isinstance(first, Target):
            self._counters.causes["retried"] += 1
            first = await self._serve(request, first, whole, lambda: None)
        assert not isinstance(first, Target)
        return first

    async def _small_body(self, request: web.BaseRequest) -> bytes | None:
        """The body of a request that says it is small; None for one that has to be passed on as it comes."""
        if not request.can_read_body:
            return b""
        if request.content_length is None or request.content_length > SMALL:
            return None
        return await request.read()

    async def _serve(
        self, request: web.BaseRequest, target: Target, whole: bytes | None, other: Alternative
    ) -> web.StreamResponse | Target:
        """One attempt. A target comes back where `other` had one for a status that may be tried again."""
        name = target.pool or DIRECT
        if (fault := self.faults.get(target.pool)) is not None:
            retry = other() if fault in RETRIED and whole is not None else None
            return retry or self._refuse(Refusal(fault, str(fault)))
        connection = self._tunnels.pick(target.tunnel)
        if connection is None:
            return self._refuse(DEAD_TUNNEL)
        self._counters.requests[name] += 1
        self._counters.last[name] = time.time()
        self._counters.open[name] += 1
        try:
            return await self._through(request, target, whole, connection, other)
        except asyncio.CancelledError:
            self._counters.causes["client_abort"] += 1
            raise
        finally:
            self._counters.open[name] -= 1

    async def _through(
        self,
        request: web.BaseRequest,
        target: Target,
        whole: bytes | None,
        connection: TunnelConnection,
        other: Alternative,
    ) -> web.StreamResponse | Target:
        opened = self._open(request, target, connection, end=whole == b"")
        if opened is None:
            return self._refuse(DEAD_TUNNEL)
        connection, stream = opened
        with connection.used():
            try:
                if whole is not None:
                    return await self._answer(request, stream, whole, other)
                async with asyncio.TaskGroup() as tasks:
                    upload = tasks.create_task(_upload(request, stream))
                    response = await self._answer(request, stream, b"", lambda: None)
                    upload.cancel()
                    return response
            finally:
                # Also reached when the client has gone: the handler is cancelled, the connector hears of it.
                stream.reset()

    def _open(
        self, request: web.BaseRequest, target: Target, connection: TunnelConnection, *, end: bool
    ) -> tuple[TunnelConnection, Stream] | None:
        """A connection that breaks on opening is no answer: the tunnel's others are tried."""
        headers = request_headers(request, target.host)
        for _ in range(8):
            try:
                return connection, connection.open(headers, end=end)
            except LinkClosedError:
                connection.leave()
            again = self._tunnels.pick(target.tunnel)
            if again is None:
                return None
            connection = again
        return None

    async def _answer(
        self, request: web.BaseRequest, stream: Stream, body: bytes, other: Alternative
    ) -> web.StreamResponse | Target:
        begun = await self._begin(stream, body)
        if isinstance(begun, Refusal):
            return self._refuse(begun)
        if begun.head.status in RETRIED and (retry := other()):
            return retry
        self._counters.statuses[str(begun.head.status)] += 1
        response = web.StreamResponse(status=begun.head.status)
        for name, value in begun.head.headers:
            response.headers.add(name, value)
        response.headers.setdefault("Server", "cloudflare")
        response.headers["Date"] = self.door.date()
        await self._relay(request, response, begun)
        return response

    async def _begin(self, stream: Stream, body: bytes) -> Begun | Refusal:
        try:
            async with asyncio.timeout(self._settings.silence_s):
                if body:
                    await stream.send(body, end=True)
                return Begun(stream, read_head(await stream.head()))
        except TimeoutError:
            return TOO_SLOW
        except (StreamFailedError, ValueError):
            return BAD_GATEWAY

    async def _relay(self, request: web.BaseRequest, response: web.StreamResponse, begun: Begun) -> None:
        """Pass the body on as it comes; a body that breaks off breaks off for the client too."""
        try:
            await response.prepare(request)
            await self._copy(begun.stream, response)
            await response.write_eof()
        except (StreamFailedError, TimeoutError):
            self._counters.causes["cut"] += 1
            if request.transport:
                request.transport.close()
        except ConnectionResetError:
            self._counters.causes["client_abort"] += 1

    async def _copy(self, stream: Stream, response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        silence = self._settings.silence_s
        async with asyncio.timeout(silence) as limit:
            moved = loop.time()
            while data := await stream.read():
                await response.write(data)
                # Moving the deadline costs; once a second is exact enough for two minutes.
                if (now := loop.time()) - moved > silence / 100:
                    moved = now
                    limit.reschedule(now + silence)

    def _refuse(self, refusal: Refusal) -> web.Response:
        self._counters.statuses[str(refusal.status)] += 1
        self._counters.causes[refusal.code] += 1
        headers = {"Server": "cloudflare", "Date": self.door.date()}
        return web.Response(status=refusal.status, text=f"error code: {refusal.code}\n", headers=headers)


async def _upload(request: web.BaseRequest, stream: Stream) -> None:
    with contextlib.suppress(StreamFailedError):
        try:
            async for data in request.content.iter_any():
                await stream.send(data)
            await stream.send(b"", end=True)
        except web.RequestPayloadError:
            stream.reset()
