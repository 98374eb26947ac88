import asyncio

import pytest
from tests.support.edge_lab import until

from inferagent.lab.wire.stream import LinkClosedError


async def test_the_client_opens_and_the_server_answers(pair):
    stream = pair.get(b"/a")
    asked, headers = await pair.requests.get()
    assert headers[b":path"] == b"/a"
    asked.respond([(b":status", b"204")], end=True)
    assert dict(await stream.head())[b":status"] == b"204"
    assert await stream.read() == b""
    assert pair.client.streams == pair.server.streams == {}


async def test_a_lost_link_fails_its_streams_and_opens_no_more(pair):
    stream = pair.get()
    await pair.requests.get()
    pair.server.abort()
    with pytest.raises(LinkClosedError):
        await stream.head()
    assert pair.lost == [pair.client]
    with pytest.raises(LinkClosedError, match="cannot open"):
        pair.get()
    with pytest.raises(LinkClosedError, match="cannot ping"):
        await pair.client.ping()


async def test_a_ping_is_answered(pair):
    async with asyncio.timeout(2):
        await pair.client.ping()
        await pair.client.ping()
    assert pair.client._pings == []


async def test_a_ping_that_is_under_way_fails_with_the_link(pair):
    pair.server._transport.pause_reading()
    async with asyncio.TaskGroup() as group:
        ping = group.create_task(expect_loss(pair.client.ping()))
        await until(lambda: pair.client._pings)
        pair.client.abort()
    assert ping.result()


async def test_close_says_goodbye(pair):
    pair.client.close()
    async with asyncio.timeout(2):
        await asyncio.shield(pair.server.closed)
    assert pair.server.goaway


async def test_garbage_ends_the_link(pair):
    pair.server._transport.write(b"\0\0\1\0\0\0\0\0\0x")  # DATA on stream 0
    async with asyncio.timeout(2):
        await asyncio.shield(pair.client.closed)
    assert pair.client.lost


async def test_a_peer_that_does_not_read_holds_the_senders(pair):
    """The windows of many streams together would let megabytes pile up in the transport."""
    pair.server._transport.pause_reading()
    async with asyncio.TaskGroup() as group:
        sending = [group.create_task(pair.get(end=False).send(b"x" * 1_000_000)) for _ in range(100)]
        await until(lambda: len(pair.client._blocked) == 100)
        assert pair.client._transport.get_write_buffer_size() < 4_000_000
        for task in sending:
            task.cancel()


async def expect_loss(awaitable):
    with pytest.raises(LinkClosedError):
        await awaitable
    return True
