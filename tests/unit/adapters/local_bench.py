"""A small HTTP server on loopback that answers as it is told, or hangs, breaks off, babbles; and clocks."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from inferagent.lab.demo.world import free_ports

HANG = "hang"  # the request is taken, and nothing comes
BREAK = "break"  # the connection is closed in the middle of an answer
GARBAGE = "garbage"  # what comes is no HTTP


# A deadline that falls into the very moment of connecting leaves the socket to the garbage collector, inside
# the client library; on a loaded machine a test with a short deadline meets that.
LEAVES_SOCKETS = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <(function _SelectorTransport|socket.socket|function BaseEvent)"
    ":pytest.PytestUnraisableExceptionWarning"
)
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Reply:
    status: int = 200
    body: Any = b""
    after: asyncio.Event | None = None  # answered once this is set

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Bench:
    """`routes` maps "GET /path" to a Reply, one of the words above, or a function of the request."""

    routes: dict[str, Any] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)  # hanging requests whose client went away
    serve: Serve | None = None  # what is done with a connection, in place of answering by the routes
    port: int = 0
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[Request]:
        return [one for one in self.seen if one.path == path]

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        try:
            await (self.serve or self.talk)(reader, writer)
        except ConnectionError:
            return
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self.open.discard(writer)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await _request(reader)) is not None:
            self.seen.append(request)
            if not await self._answer(request, reader, writer):
                return

    async def close(self) -> None:
        """Aborts what is still open and waits until its handlers have ended."""
        for writer in self.open:
            writer.transport.abort()
        await until(lambda: not self.open)

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        route = self.routes.get(f"{request.method} {request.path}", Reply(404, b"404 page not found"))
        reply = route(request) if callable(route) else route
        if reply == HANG:
            await reader.read()
            self.gone.append(request.path)
            return False
        if reply == GARBAGE:
            writer.write(b"\x00\xff what is this\r\n\r\n")
            return False
        if reply == BREAK:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            await writer.drain()
            return False
        if reply.after is not None:
            await reply.after.wait()
        body = reply.encoded()
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (reply.status, len(body)) + body)
        await writer.drain()
        return request.headers.get("connection") != "close"


async def _request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(raw) if raw else None)


@asynccontextmanager
async def bench(**routes: Any) -> AsyncIterator[Bench]:
    """A bench that listens; more routes may be set at any time."""
    one = Bench(dict(routes))
    server = await asyncio.start_server(one.accept, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await one.close()


@contextmanager
def full_queue() -> Iterator[int]:
    """A port whose accept queue is full: connecting to it gets no answer at all."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        plugs = [socket.socket() for _ in range(4)]
        for plug in plugs:
            plug.setblocking(False)
            plug.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for plug in plugs:
                plug.close()


def closed_port() -> int:
    """A port where nobody listens."""
    return free_ports(1)[0]


@dataclass
class HandClock:
    """A Clock that moves when it is told to."""

    at: float = 100.0

    def now(self) -> float:
        return self.at

    def boot(self) -> str:
        return "boot"

    def wall(self) -> str:
        return "2026-11-22T00:00:00+00:00"

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Returns once the condition holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (the condition may be a process's)
            await asyncio.sleep(0.01)
