"""replica: in as far as the connector says so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from inferagent.adapters.membership_replica import ReplicaMembership, connector_id
from inferagent.ports import PortError


@dataclass
class Connector:
    """The connector's /ready, as cloudflared answers it."""

    port: int
    body: str = '{"status":200,"readyConnections":4,"connectorId":"x"}'
    status: int = 200
    asked: list[str] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[1])
        head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + self.body).encode())
        writer.close()


@pytest.fixture
async def connector(unused_tcp_port: int) -> AsyncIterator[Connector]:
    found = Connector(unused_tcp_port)
    server = await asyncio.start_server(found.answer, "127.0.0.1", unused_tcp_port)
    yield found
    server.close()
    await server.wait_closed()


@pytest.fixture
async def membership(unused_tcp_port: int) -> AsyncIterator[ReplicaMembership]:
    found = ReplicaMembership("gpu-a", f"127.0.0.1:{unused_tcp_port}", "m")
    yield found
    await found.close()


async def test_connected_is_in(connector: Connector, membership: ReplicaMembership) -> None:
    view = await membership.read()
    assert (view.own.name, view.own.effective, view.own.machine, view.peers) == ("gpu-a", True, "m", None)
    assert connector.asked == ["/ready"]


async def test_unconnected_is_out(connector: Connector, membership: ReplicaMembership) -> None:
    connector.status, connector.body = 503, '{"status":503,"readyConnections":0,"connectorId":"x"}'
    own = (await membership.read()).own
    assert (own.enabled, own.healthy) == (False, False)


async def test_no_connector_is_out(membership: ReplicaMembership) -> None:
    assert not (await membership.read()).own.enabled


@pytest.mark.parametrize(
    "body",
    [
        "",
        "OK",
        "[]",
        '{"status":200}',
        '{"readyConnections":"4"}',
        '{"readyConnections":true}',
        '{"readyConnections":-1}',
        "[" * 100_000,
    ],
)
async def test_an_odd_answer_is_unknown(
    connector: Connector, membership: ReplicaMembership, body: str
) -> None:
    connector.body = body
    with pytest.raises(PortError, match="cannot read"):
        await membership.read()


async def test_a_push_asks_nobody(connector: Connector, membership: ReplicaMembership) -> None:
    await membership.push(False)
    assert connector.asked == []


async def test_the_connector_of_this_host_is_known_by_its_id(connector: Connector) -> None:
    assert await asyncio.to_thread(connector_id, f"127.0.0.1:{connector.port}") == "x"
    connector.body = "odd"
    assert await asyncio.to_thread(connector_id, f"127.0.0.1:{connector.port}") == ""


def test_where_no_connector_runs_there_is_no_id(unused_tcp_port: int) -> None:
    assert connector_id(f"127.0.0.1:{unused_tcp_port}") == ""
