"""Questions to a name server: answers of every kind, and servers that are ill."""

import asyncio
import contextlib
import struct

import pytest

from inferagent.adapters.hops import dns
from inferagent.lab.edge.nameserver import NameServer
from inferagent.ports import PortError

RECORDS = [
    {"type": "CNAME", "name": "gpu.example.com", "content": "t.cfargotunnel.com", "proxied": True},
    {"type": "CNAME", "name": "bare.example.com", "content": "t.cfargotunnel.com", "proxied": False},
]


@contextlib.asynccontextmanager
async def serving(say="answer"):
    server = NameServer(list, lambda: RECORDS, ("127.0.0.1", "127.0.0.2"))
    server.say = say
    await server.listen(0)
    try:
        yield "127.0.0.1", server.port
    finally:
        server.close()


@contextlib.asynccontextmanager
async def replying(make):
    """A server that answers whatever `make` makes of the question."""

    class Liar(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            for answer in make(data):
                self.transport.sendto(answer, addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Liar, local_addr=("127.0.0.1", 0)
    )
    try:
        yield "127.0.0.1", transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def test_an_address():
    async with serving() as place:
        (found,) = await dns.ask(place, "gpu.example.com", dns.A, 2)
    assert found == dns.Record("gpu.example.com", dns.A, "127.0.0.1")


async def test_a_name_that_leads_elsewhere_is_told_as_that():
    async with serving() as place:
        (found,) = await dns.ask(place, "bare.example.com", dns.A, 2)
    assert (found.kind, found.data) == (dns.CNAME, "t.cfargotunnel.com")


async def test_no_record_of_that_kind_is_no_error():
    async with serving() as place:
        assert await dns.ask(place, "gpu.example.com", dns.AAAA, 2) == ()


async def test_no_such_name():
    async with serving() as place:
        with pytest.raises(dns.NoSuchNameError, match="no such name"):
            await dns.ask(place, "nobody.example.com", dns.A, 2)


async def test_a_server_that_fails_is_another_matter():
    async with serving("failure") as place:
        with pytest.raises(PortError, match="SERVFAIL") as caught:
            await dns.ask(place, "gpu.example.com", dns.A, 2)
    assert not isinstance(caught.value, dns.NoSuchNameError)


async def test_silence_ends_with_the_deadline():
    async with serving("silence") as place:
        with pytest.raises(PortError, match="does not answer"):
            await dns.ask(place, "gpu.example.com", dns.A, 0.2)


async def test_nobody_there():
    async with serving() as place:
        pass
    with pytest.raises(PortError, match="cannot resolve"):
        await dns.ask(place, "gpu.example.com", dns.A, 1)


async def test_an_answer_to_another_question_is_not_taken():
    def make(data):
        other = struct.pack(">H", struct.unpack_from(">H", data)[0] ^ 1)
        return [other + struct.pack(">H", 0x8180) + data[4:], data, b"short"]

    async with replying(make) as place:
        with pytest.raises(PortError, match="does not answer"):
            await dns.ask(place, "gpu.example.com", dns.A, 0.2)


@pytest.mark.parametrize("tail", [b"\xc0\x0c\0\x01\0\x01", b"\xc0\x0c" + b"\xc0\xff" * 4, b"\x3f"])
async def test_a_torn_answer_is_an_error_and_no_end_of_the_program(tail):
    def make(data):
        head = data[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
        return [head + data[12:] + tail]

    async with replying(make) as place:
        with pytest.raises(PortError, match="cannot be read"):
            await dns.ask(place, "gpu.example.com", dns.A, 1)


async def test_a_name_that_points_at_itself_ends():
    def make(data):
        head = data[:2] + struct.pack(">HHHHH", 0x8180, 0, 1, 0, 0)
        return [head + b"\xc0\x0c"]

    async with replying(make) as place:
        with pytest.raises(PortError, match="cannot be read"):
            await dns.ask(place, "gpu.example.com", dns.A, 1)
