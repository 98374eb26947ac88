"""One HTTP exchange with a program on this host, and every way in which it can fail."""

import asyncio

import pytest
from tests.unit.adapters.local_bench import (
    BREAK,
    GARBAGE,
    HANG,
    LEAVES_SOCKETS,
    Reply,
    bench,
    closed_port,
    full_queue,
)

from inferagent.adapters.local_http import BrokenError, LocalHttp, RefusedError, SilentError
from inferagent.ports import PortError

pytestmark = LEAVES_SOCKETS


async def test_an_answer_comes_with_its_status():
    async with bench(**{"GET /x": Reply(503, {"a": 1})}) as server:
        http = LocalHttp(server.url)
        answer = await http.get("/x", 2.0)
        assert (answer.status, answer.mapping(), answer.whole) == (503, {"a": 1}, True)
        await http.aclose()


async def test_one_connection_stays_warm():
    async with bench(**{"GET /x": Reply()}) as server:
        http = LocalHttp(server.url)
        for _ in range(3):
            await http.get("/x", 2.0)
        assert (server.connections, http.connects) == (1, 1)
        await http.aclose()


async def test_a_kept_connection_closed_meanwhile_is_tried_anew():
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request, and breaks the connection at the next."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with bench() as server:
        server.serve = cut
        http = LocalHttp(server.url)
        assert (await http.get("/a", 2.0)).body == b"ok"
        assert (await http.get("/b", 2.0)).body == b"ok"
        assert http.connects == 2
        await http.aclose()


async def test_a_refused_port_is_told_from_the_rest():
    http = LocalHttp(f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(RefusedError, match="refuses"):
        await http.get("/x", 2.0)
    await http.aclose()


async def test_silence_after_the_question_was_taken():
    async with bench(**{"POST /x": HANG}) as server:
        http = LocalHttp(server.url)
        with pytest.raises(SilentError) as caught:
            await http.ask("POST", "/x", 0.4, {"a": 1})
        assert caught.value.taken
        await http.aclose()


async def test_without_time_nothing_is_asked():
    async with bench(**{"GET /x": Reply()}) as server:
        http = LocalHttp(server.url)
        with pytest.raises(SilentError, match="no time"):
            await http.get("/x", -1.0)
        assert server.connections == 0
        await http.aclose()


async def test_silence_on_a_full_queue_is_not_taken():
    with full_queue() as port:
        http = LocalHttp(f"http://127.0.0.1:{port}")
        with pytest.raises(SilentError) as caught:
            await http.get("/x", 0.4)
        assert not caught.value.taken
        await http.aclose()


@pytest.mark.parametrize("how", [BREAK, GARBAGE])
async def test_an_answer_that_breaks_off(how):
    async with bench(**{"GET /x": how}) as server:
        http = LocalHttp(server.url)
        with pytest.raises(BrokenError, match="cannot"):
            await http.get("/x", 2.0)
        await http.aclose()


async def test_a_big_answer_is_cut():
    async with bench(**{"GET /x": Reply(200, b"x" * 5000)}) as server:
        http = LocalHttp(server.url, max_bytes=1000)
        answer = await http.get("/x", 2.0)
        assert (len(answer.body), answer.whole) == (1000, False)
        await http.aclose()


async def test_a_name_that_nobody_knows_is_unknown():
    http = LocalHttp("http://nobody.invalid:1")
    with pytest.raises(PortError, match="cannot") as caught:
        await http.get("/x", 5.0)
    assert not isinstance(caught.value, RefusedError)
    await http.aclose()


@pytest.mark.parametrize("body", [b"no json", b"[1]", b"[" * 100_000])
async def test_an_answer_that_is_no_object(body):
    async with bench(**{"GET /x": Reply(200, body)}) as server:
        http = LocalHttp(server.url)
        answer = await http.get("/x", 2.0)
        with pytest.raises(PortError, match="cannot read"):
            answer.mapping()
        await http.aclose()


async def test_cancelling_leaves_a_usable_client():
    async with bench(**{"GET /x": HANG, "GET /y": Reply()}) as server:
        http = LocalHttp(server.url)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await http.get("/x", 5.0)
        assert (await http.get("/y", 2.0)).status == 200
        await http.aclose()
