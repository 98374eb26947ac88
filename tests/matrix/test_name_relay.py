"""Questions pass the relay, and the silence of the name server too."""

import asyncio

import pytest
from tests.matrix.name_relay import NameRelay

from inferagent.lab.connector.names import ask
from inferagent.lab.demo.world import free_ports
from inferagent.lab.edge.nameserver import REGIONS, NameServer


async def test_answers_and_silence_pass():
    server = NameServer(list, list, ("127.0.0.1", "127.0.0.2"))
    await server.listen(0)
    relay = NameRelay(f"127.0.0.1:{server.port}")
    (port,) = free_ports(1)
    await relay.listen(port)
    at = f"{relay.address}:{port}"
    assert await asyncio.to_thread(ask, REGIONS[1], at) == "127.0.0.2"
    server.say = "silence"
    with pytest.raises(TimeoutError):
        await asyncio.to_thread(ask, REGIONS[1], at, 0.2)
    server.say = "answer"
    assert await asyncio.to_thread(ask, REGIONS[0], at) == "127.0.0.1"
    relay.close()
    server.close()


async def test_a_port_that_is_taken_is_taken_at_the_next_address():
    relays = [NameRelay("127.0.0.1:9"), NameRelay("127.0.0.1:9")]
    (port,) = free_ports(1)
    for relay in relays:
        await relay.listen(port)
    assert relays[0].address != relays[1].address
    for relay in relays:
        relay.close()
