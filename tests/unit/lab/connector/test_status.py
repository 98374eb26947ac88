import aiohttp
import pytest
from tests.support.edge_lab import TUNNEL, shared_of

from inferagent.lab.connector.options import EarlyExitError, Options
from inferagent.lab.connector.status import StatusServer
from inferagent.lab.connector.tunnel import Connection


@pytest.fixture
async def parts(edge, store):
    shared = shared_of(edge, store)
    connections = [Connection(index, (f"127.0.0.{index + 1}", 1), shared, None) for index in range(2)]
    yield shared, connections
    await shared.origins.close()


@pytest.fixture
async def served(parts):
    server = StatusServer(Options("run", metrics="127.0.0.1:0", shown=(("metrics", "x"),)), *parts)
    address = await server.listen()
    async with aiohttp.ClientSession(f"http://{address}") as session:
        yield session
    await server.close()


async def test_ready_counts_connected_connections(served, parts):
    shared, connections = parts
    for connected, status in ((0, 503), (1, 200), (2, 200)):
        for connection in connections[:connected]:
            connection.connected = True
        async with served.get("/ready") as answer:
            assert answer.status == status
            assert answer.content_type == "text/plain"
            assert await answer.json(content_type=None) == {
                "status": status,
                "readyConnections": connected,
                "connectorId": str(shared.connector_id),
            }


async def test_the_other_pages(served, parts):
    _, connections = parts
    async with served.get("/diag/tunnel") as answer:
        assert "connections" not in await answer.json(content_type=None)
    connections[1].connected = True
    async with served.get("/diag/tunnel") as answer:
        found = await answer.json(content_type=None)
    assert found["tunnelID"] == TUNNEL
    assert found["connections"] == [{"isConnected": True, "edgeAddress": "127.0.0.2", "index": 1}]
    async with served.get("/config") as answer:
        assert (await answer.json(content_type=None))["version"] == -1
    async with served.get("/healthcheck") as answer:
        assert await answer.text() == "OK\n"
    async with served.get("/diag/configuration") as answer:
        assert (await answer.json(content_type=None))["metrics"] == "x"
    async with served.get("/quicktunnel") as answer:
        assert await answer.text() == '{"hostname":""}'
    async with served.get("/metrics") as answer:
        assert "cloudflared_tunnel_total_requests 0" in await answer.text()


async def test_a_taken_port_ends_the_program(parts, origin):
    server = StatusServer(Options("run", metrics=f"127.0.0.1:{origin.port}"), *parts)
    with pytest.raises(EarlyExitError, match="failed to bind") as ended:
        await server.listen()
    assert ended.value.code == 1


async def test_without_an_address_a_known_port_or_any(parts):
    server = StatusServer(Options("run"), *parts)
    host, _, port = (await server.listen()).partition(":")
    assert (host, int(port) > 1024) == ("127.0.0.1", True)
    await server.close()
