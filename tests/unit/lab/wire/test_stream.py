import asyncio

import pytest
from h2.errors import ErrorCodes
from tests.support.edge_lab import until

from inferagent.lab.wire.stream import StreamFailedError


async def opened(pair, end=False):
    stream = pair.get(end=end)
    asked, _ = await pair.requests.get()
    return stream, asked


async def test_both_ways_at_once_and_more_than_any_window(pair):
    ours, theirs = await opened(pair)
    size = 3_000_000
    theirs.respond([(b":status", b"200")])

    async def drain(stream):
        total = 0
        while data := await stream.read():
            total += len(data)
        return total

    async with asyncio.TaskGroup() as group:
        group.create_task(ours.send(b"u" * size, end=True))
        group.create_task(theirs.send(b"d" * size, end=True))
        totals = [group.create_task(drain(stream)) for stream in (ours, theirs)]
    assert [total.result() for total in totals] == [size, size]
    assert pair.client.streams == pair.server.streams == {}


async def test_a_slow_reader_stops_its_sender_and_no_other(pair):
    slow, slow_asked = await opened(pair)
    quick, quick_asked = await opened(pair)
    async with asyncio.TaskGroup() as group:
        stuck = group.create_task(slow.send(b"x" * 1_000_000, end=True))
        await until(lambda: pair.client._blocked)
        await quick.send(b"hello", end=True)
        assert await quick_asked.read() == b"hello"
        assert not stuck.done()
        got = 0
        while data := await slow_asked.read():
            got += len(data)
    assert got == 1_000_000


async def test_read_gives_what_has_come_then_the_end(pair):
    ours, theirs = await opened(pair)
    await ours.send(b"a")
    await ours.send(b"b", end=True)
    await until(lambda: theirs.ended)
    assert theirs.waiting
    assert (await theirs.read(), await theirs.read(), await theirs.read()) == (b"ab", b"", b"")


async def test_a_reset_reaches_the_peer_with_what_came_before_it_kept(pair):
    ours, theirs = await opened(pair)
    told = []
    theirs.on_fail = lambda: told.append(True)
    await ours.send(b"part")
    await until(lambda: theirs.waiting)
    ours.reset()
    await until(lambda: told)
    assert await theirs.read() == b"part"
    with pytest.raises(StreamFailedError):
        await theirs.read()
    with pytest.raises(StreamFailedError):
        await theirs.send(b"x")


async def test_our_own_reset_calls_nobody_and_ends_sending(pair):
    ours, theirs = await opened(pair)
    told = []
    ours.on_fail = lambda: told.append(True)
    ours.reset(ErrorCodes.INTERNAL_ERROR)
    ours.reset()
    with pytest.raises(StreamFailedError, match="given up"):
        await ours.send(b"x")
    with pytest.raises(StreamFailedError):
        await theirs.read()
    assert told == []


async def test_a_sender_that_waits_for_room_hears_of_the_reset(pair):
    ours, theirs = await opened(pair)
    async with asyncio.TaskGroup() as group:
        failed = group.create_task(fails(ours.send(b"x" * 1_000_000)))
        await until(lambda: pair.client._blocked)
        theirs.reset()
    assert failed.result()


async def test_an_answer_without_a_head_is_a_failure(pair):
    ours, theirs = await opened(pair, end=True)
    theirs.reset(ErrorCodes.REFUSED_STREAM)
    with pytest.raises(StreamFailedError):
        await ours.head()


async def test_abandoned_streams_give_their_window_back(pair):
    """Together they carry more than the connection's window, and nobody ever reads."""
    async with asyncio.timeout(10):
        for _ in range(140):
            ours, theirs = await opened(pair)
            await ours.send(b"x" * 250_000)
            theirs.reset()
    assert pair.server.streams == {}


async def fails(awaitable):
    with pytest.raises(StreamFailedError):
        await awaitable
    return True
