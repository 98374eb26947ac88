"""From a name to addresses: told, asked, or by the system."""

import pytest

from inferagent.adapters.hops.names import Names, NoNameError
from inferagent.lab.edge.nameserver import NameServer
from inferagent.ports import PortError


@pytest.fixture
async def server():
    records = [{"type": "CNAME", "name": "bare.example.com", "content": "t.example.net", "proxied": False}]
    balancers = [{"name": "llm.example.com", "proxied": True}]
    found = NameServer(lambda: balancers, lambda: records, ("127.0.0.1", "127.0.0.2"))
    await found.listen(0)
    yield found
    found.close()


async def test_what_is_told_is_not_asked(server):
    server.say = "silence"
    names = Names((("llm.example.com", 443, "192.0.2.7"),), ("127.0.0.1", server.port))
    assert await names.addresses("llm.example.com", 443, 1) == ("192.0.2.7",)


async def test_told_for_another_port_is_not_told(server):
    names = Names((("llm.example.com", 80, "192.0.2.7"),), ("127.0.0.1", server.port))
    assert await names.addresses("llm.example.com", 443, 1) == ("127.0.0.1",)


async def test_a_number_is_its_own_address():
    assert await Names().addresses("192.0.2.9", 443, 1) == ("192.0.2.9",)


async def test_the_system_knows_this_host():
    assert "127.0.0.1" in await Names().addresses("localhost", 80, 3)


async def test_a_name_without_an_address_says_where_it_leads(server):
    names = Names((), ("127.0.0.1", server.port))
    with pytest.raises(NoNameError, match=r"only leads to t\.example\.net"):
        await names.addresses("bare.example.com", 443, 1)


async def test_a_missing_name_and_a_dead_server_are_told_apart(server):
    names = Names((), ("127.0.0.1", server.port))
    with pytest.raises(NoNameError):
        await names.addresses("nobody.example.com", 443, 1)
    server.say = "failure"
    with pytest.raises(PortError) as caught:
        await names.addresses("nobody.example.com", 443, 1)
    assert not isinstance(caught.value, NoNameError)


@pytest.mark.parametrize("server", [None, ("127.0.0.1", 9)])
@pytest.mark.parametrize("name", ["a..example.com", f"{'x' * 70}.example.com"])
async def test_what_cannot_be_a_name_is_said_at_once(server, name):
    with pytest.raises(NoNameError, match="that is no host name"):
        await Names((), server).addresses(name, 443, 1)
