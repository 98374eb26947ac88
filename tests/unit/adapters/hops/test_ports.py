"""Reaching a port by TCP, and by a QUIC datagram."""

import asyncio
import contextlib

import pytest

from inferagent.adapters.hops.ports import quic_answers, tcp_opens
from inferagent.lab.demo.world import free_ports
from inferagent.lab.edge.datagrams import Datagrams, negotiation
from inferagent.ports import PortError

OTHER = b"\xc0\x1a\x2a\x3a\x4a\x08aaaaaaaa\x08bbbbbbbb"


@contextlib.asynccontextmanager
async def datagrams(*, there=True):
    (port,) = free_ports(1)
    found = Datagrams()
    await found.listen(("127.0.0.1",), port)
    found.open = there
    try:
        yield port
    finally:
        found.close()


async def test_tcp_opens():
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    async with server:
        assert await tcp_opens("127.0.0.1", server.sockets[0].getsockname()[1], 2) is None


async def test_tcp_refused():
    with pytest.raises(PortError, match="by TCP"):
        await tcp_opens("127.0.0.1", free_ports(1)[0], 2)


async def test_quic_answers():
    async with datagrams() as port:
        assert await quic_answers("127.0.0.1", port, 2) is None


async def test_quic_dropped():
    async with datagrams(there=False) as port:
        with pytest.raises(PortError, match="no answer"):
            await quic_answers("127.0.0.1", port, 0.3)


async def test_quic_refused_is_told_at_once():
    with pytest.raises(PortError, match="by UDP"):
        await quic_answers("127.0.0.1", free_ports(1)[0], 5)


@pytest.mark.parametrize("answer", [lambda data: data, lambda _: negotiation(OTHER.ljust(1200, b"\0"))])
async def test_an_echo_and_an_answer_to_another_are_none(answer):
    class Liar(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            self.transport.sendto(answer(data), addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Liar, local_addr=("127.0.0.1", 0)
    )
    with contextlib.closing(transport), pytest.raises(PortError, match="no answer"):
        await quic_answers("127.0.0.1", transport.get_extra_info("sockname")[1], 0.3)
