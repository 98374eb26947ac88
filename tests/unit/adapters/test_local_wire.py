"""One connection: what comes over it, when it is good for another question, and when not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import h11
import pytest
from tests.unit.adapters.local_bench import until

from inferagent.adapters.local_wire import Wire, WireError

GET = h11.Request(method="GET", target="/x", headers=[("Host", "here")])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
OLD = b"HTTP/1.0 200 OK\r\n\r\nuntil the end"


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[Wire, list[bytes]]]:
    """A wire to a server that gives one answer a question and then leaves; what it heard."""
    heard: list[bytes] = []
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            for answer in answers:
                heard.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        wire = await Wire.opened("127.0.0.1", server.sockets[0].getsockname()[1])
        try:
            yield wire, heard
        finally:
            wire.close()
            await left.wait()


async def ask(
    wire: Wire, most: int = 100, taken: Callable[[], None] = lambda: None
) -> tuple[int, bytes, bool]:
    async with asyncio.timeout(5):
        return await wire.ask(GET, b"", most, taken)


@pytest.mark.parametrize(
    ("answer", "body"),
    [(OK, b"ok"), (CHUNKED, b"abc"), (EARLY + OK, b"ok"), (CLOSING, b"ok"), (OLD, b"until the end")],
)
async def test_an_answer_comes_whole_however_it_is_framed(answer: bytes, body: bytes) -> None:
    async with answering(answer) as (wire, heard):
        assert await ask(wire) == (200, body, True)
        assert heard[0].startswith(b"GET /x HTTP/1.1\r\n")


async def test_one_connection_takes_one_question_after_the_other() -> None:
    async with answering(OK, CHUNKED, OK) as (wire, heard):
        for _ in range(3):
            assert wire.usable
            assert (await ask(wire))[0] == 200
        assert len(heard) == 3


async def test_a_connection_that_the_other_side_has_left_is_no_longer_usable() -> None:
    async with answering(OK) as (wire, _):
        await ask(wire)
        await until(lambda: not wire.usable)


@pytest.mark.parametrize("answer", [CLOSING, OLD])
async def test_an_answer_that_ends_the_connection_leaves_it_unusable(answer: bytes) -> None:
    async with answering(answer) as (wire, _):
        await ask(wire)
        assert not wire.usable


async def test_a_long_answer_is_cut_and_the_connection_given_up() -> None:
    async with answering(OK) as (wire, _):
        assert await ask(wire, most=1) == (200, b"o", False)
        assert not wire.usable


@pytest.mark.parametrize("answer", [b"", b"\x00\xff no HTTP\r\n\r\n", OK[:-1], CHUNKED[:-5], b"HTTP/1.1 2"])
async def test_a_broken_answer_is_told(answer: bytes) -> None:
    async with answering(answer) as (wire, _):
        with pytest.raises(WireError) as caught:
            await ask(wire)
        assert str(caught.value)
        assert not wire.usable


async def test_a_question_is_taken_once_it_is_handed_over() -> None:
    said: list[str] = []
    async with answering(b"") as (wire, _):
        with pytest.raises(WireError):
            await ask(wire, taken=lambda: said.append("taken"))
    assert said == ["taken"]


async def test_a_head_without_end_is_bounded() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000) as (wire, _):
        with pytest.raises(WireError):
            await ask(wire)
        assert not wire.usable


async def test_a_question_that_was_given_up_leaves_the_connection_unusable() -> None:
    async with answering(b"HTTP/1.1 103 X\r\n\r\n", OK) as (wire, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await wire.ask(GET, b"", 100, lambda: None)
        assert not wire.usable
