"""The lab's name server, asked by a resolver of doctor's."""

import pytest

from inferagent.adapters.hops import dns
from inferagent.lab.edge.nameserver import REGIONS
from inferagent.ports import PortError


async def test_it_knows_the_balancer_and_the_edge(edge, store):
    place = ("127.0.0.1", edge.names.port)
    balancer = store.load_balancers["lb"]
    store.put("load_balancer", "lb", {**balancer, "proxied": True})
    (found,) = await dns.ask(place, balancer["name"], dns.A, 2)
    assert found.data == "127.0.0.1"
    (second,) = await dns.ask(place, REGIONS[1], dns.A, 2)
    assert second.data == "127.0.0.2"


async def test_what_the_account_forgets_is_gone(edge, store):
    place = ("127.0.0.1", edge.names.port)
    record = {"type": "CNAME", "name": "gpu.example.com", "content": "x.cfargotunnel.com", "proxied": True}
    store.put("dns_record", "r", record)
    assert await dns.ask(place, "gpu.example.com", dns.A, 2)
    store.remove("dns_record", "r")
    with pytest.raises(dns.NoSuchNameError):
        await dns.ask(place, "gpu.example.com", dns.A, 2)


async def test_it_can_be_made_ill(edge):
    place = ("127.0.0.1", edge.names.port)
    await edge.command({"do": "names", "say": "silence"})
    with pytest.raises(PortError, match="does not answer"):
        await dns.ask(place, REGIONS[0], dns.A, 0.2)
    await edge.command({"do": "names", "say": "answer"})
    assert await dns.ask(place, REGIONS[0], dns.A, 2)
