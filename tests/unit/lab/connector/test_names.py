"""The edge's names are asked of a name server that answers, fails or says nothing."""

import asyncio

import pytest
from tests.support.edge_lab import Lines

from inferagent.lab.connector import names
from inferagent.lab.connector.logs import Log
from inferagent.lab.connector.options import EarlyExitError
from inferagent.lab.edge.nameserver import REGIONS, NameServer


@pytest.fixture
async def server():
    running = NameServer(list, list, ("127.0.0.1", "127.0.0.2"))
    await running.listen(0)
    yield running
    running.close()


async def looked_up(server, *edge):
    at = f"127.0.0.1:{server.port}"
    return await asyncio.to_thread(names.looked_up, edge, at, Log(as_json=True, out=Lines()))


async def test_names_become_addresses_and_addresses_stay(server):
    edge = ((REGIONS[0], 1), (REGIONS[1], 2), ("127.0.0.9", 3))
    assert await looked_up(server, *edge) == [("127.0.0.1", 1), ("127.0.0.2", 2), ("127.0.0.9", 3)]


async def test_one_known_name_is_enough(server):
    assert await looked_up(server, ("nobody.example.com", 1), (REGIONS[1], 2)) == [("127.0.0.2", 2)]


@pytest.mark.parametrize("say", ["silence", "failure"])
async def test_no_known_name_ends_the_program(server, say):
    server.say = say
    with pytest.raises(EarlyExitError) as ended:
        await looked_up(server, (REGIONS[0], 1))
    assert ended.value.code == 1


async def test_an_answer_that_is_cut_short_is_an_error(server):
    server.say = "silence"

    class Half(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            self.transport.sendto(data[:14], addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Half, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    with pytest.raises(OSError, match="cannot read the answer"):
        await asyncio.to_thread(names.ask, REGIONS[0], f"127.0.0.1:{port}")
    transport.close()
