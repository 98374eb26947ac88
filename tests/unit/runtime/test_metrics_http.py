"""Metrics over HTTP: for this host alone, bounded, and no reason for anything to end."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from inferagent.lab.demo.world import free_ports
from inferagent.ports import PortError
from inferagent.runtime.metrics_http import LONGEST, MOST_CONNECTIONS, PATIENCE, TROUBLE, MetricsServer

DEADLINE = 10.0
TEXT = "inferagent_up 1\n"


class Told:
    def __init__(self) -> None:
        self.young = False

    def text(self) -> str:
        if self.young:
            raise PortError("cannot tell metrics yet")
        return TEXT


@asynccontextmanager
async def serving(told: Told | None = None) -> AsyncIterator[int]:
    port, troubles = free_ports(1)[0], dict[str, str]()
    server = MetricsServer(("127.0.0.1", port), (told or Told()).text)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run(troubles))

        async def up() -> bool:
            return troubles.get(TROUBLE) == ""

        await until(up)
        yield port
        task.cancel()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.005)


async def ask(port: int, raw: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    async with asyncio.timeout(DEADLINE):
        answer = await reader.read()
    writer.close()
    return answer


async def get(port: int, path: str = "/metrics", method: str = "GET") -> bytes:
    return await ask(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="an older Python waits for nobody anyway")
async def test_its_end_waits_for_nobody():
    """Until they have asked, or were too slow."""
    async with serving() as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        begun = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun < PATIENCE / 2
    for _, writer in idle:
        writer.close()


async def test_the_metrics_are_served_as_prometheus_wants_them() -> None:
    async with serving() as port:
        head, _, body = (await get(port)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4")
        assert body.decode() == TEXT
        assert (await get(port, method="HEAD")).endswith(b"\r\n\r\n")
        assert (await get(port, "/metrics?x=1")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("path", "method", "code"),
    [("/", "GET", b"404"), ("/v1/drain", "POST", b"404"), ("/metrics", "POST", b"405"), ("", "", b"404")],
)
async def test_there_is_nothing_else(path: str, method: str, code: bytes) -> None:
    async with serving() as port:
        assert (await get(port, path, method)).startswith(b"HTTP/1.1 " + code)


async def test_an_agent_that_has_nothing_to_tell_yet_says_so() -> None:
    told = Told()
    told.young = True
    async with serving(told) as port:
        answer = await get(port)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"cannot tell metrics yet" in answer


async def test_too_much_and_too_many_get_no_metrics_and_harm_nobody() -> None:
    async with serving() as port:
        assert await ask(port, b"GET /" + b"x" * 2 * LONGEST) == b""
        waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS)]
        assert (await get(port)).startswith(b"HTTP/1.1 503")
        for _, writer in waiting:
            writer.close()

        async def served() -> bool:
            return (await get(port)).startswith(b"HTTP/1.1 200")

        await until(served)


async def test_a_taken_address_is_a_trouble_and_is_tried_again() -> None:
    troubles = dict[str, str]()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        async with asyncio.TaskGroup() as group:
            task = group.create_task(MetricsServer(("127.0.0.1", port), Told().text).run(troubles, 0.01))

            async def told() -> bool:
                return f"cannot serve metrics at 127.0.0.1:{port}: " in troubles.get(TROUBLE, "")

            async def over() -> bool:
                return not troubles[TROUBLE]

            await until(told)
            other.close()
            await until(over)
            assert (await get(port)).startswith(b"HTTP/1.1 200")
            task.cancel()
