"""What passes a gate in each of its states, and what does not."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from tests.matrix.gates import Gates
from tests.support.scenario import until


@asynccontextmanager
async def gates(count=1):
    """Before them an edge that answers every line with the same line."""

    served = set()

    async def echo(reader, writer):
        served.add(writer)
        with suppress(OSError):
            while line := await reader.readline():
                writer.write(line)
        writer.transport.abort()
        served.discard(writer)

    async def over():
        return not served

    async with AsyncExitStack() as endings:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        endings.callback(server.close)
        at = "{}:{}".format(*server.sockets[0].getsockname())
        ways = await Gates.to([at], count, endings)

        async def dial(gate):
            reader, writer = await asyncio.open_connection(gate.host, gate.port)
            endings.callback(writer.transport.abort)
            return reader, writer

        yield ways, dial
    await until(over, "the end of every connection", 5)


async def said(reader, writer, line=b"hello\n"):
    writer.write(line)
    async with asyncio.timeout(5):
        return await reader.readline()


async def gone(reader):
    async with asyncio.timeout(5):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


async def test_an_open_gate_passes_both_ways_and_the_end():
    async with gates() as (ways, dial):
        reader, writer = await dial(ways.all[0])
        assert await said(reader, writer) == b"hello\n"
        writer.write_eof()
        assert await gone(reader)


async def test_refuse_cuts_and_does_not_listen_until_it_is_open_again():
    async with gates() as (ways, dial):
        (gate,) = ways.all
        reader, writer = await dial(gate)
        assert await said(reader, writer) == b"hello\n"
        await ways.set("refuse")
        assert await gone(reader)
        with pytest.raises(ConnectionRefusedError):
            await dial(gate)
        before = gate.address
        await ways.set("open")
        assert gate.address == before
        assert await said(*await dial(gate)) == b"hello\n"


async def test_hang_cuts_and_says_nothing_to_new_ones_until_it_is_open_again():
    async with gates() as (ways, dial):
        (gate,) = ways.all
        old, _ = await dial(gate)
        await ways.set("hang")
        assert await gone(old)
        reader, writer = await dial(gate)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await said(reader, writer)
        await ways.set("open")
        async with asyncio.timeout(5):
            assert await reader.readline() == b"hello\n"


async def test_mute_holds_and_then_lets_pass():
    async with gates() as (ways, dial):
        reader, writer = await dial(ways.all[0])
        assert await said(reader, writer) == b"hello\n"
        await ways.set("mute")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await said(reader, writer, b"late\n")
        await ways.set("open")
        async with asyncio.timeout(5):
            assert await reader.readline() == b"late\n"


async def test_some_of_several_are_shut():
    async with gates(4) as (ways, dial):
        assert len(set(ways.addresses)) == 4
        await ways.set("refuse", first=3)
        for gate in ways.all[:3]:
            with pytest.raises(ConnectionRefusedError):
                await dial(gate)
        assert await said(*await dial(ways.all[3])) == b"hello\n"


async def test_what_hangs_ends_with_the_row():
    async with gates() as (ways, dial):
        await ways.set("hang")
        reader, _ = await dial(ways.all[0])
    assert await gone(reader)
