import dataclasses
import ssl

from tests.support.edge_lab import TUNNEL, inside, token_of, until


async def test_registers_and_says_so(edge, store):
    async with inside(edge, store, connections=2) as shared:
        assert (shared.metrics.registered, shared.metrics.ha_connections) == (2, 2)
        assert shared.metrics.locations == {0: "lab01", 1: "lab01"}
        assert shared.log._out.text.count("Registered tunnel connection") == 2
    assert shared.metrics.ha_connections == 0


async def test_ha_connections_stay_while_the_edge_is_away(edge, store):
    async with inside(edge, store) as shared:
        await edge.tunnels.set_state("refuse")
        await until(lambda: "Unable to establish connection" in shared.log._out.text)
        assert shared.metrics.ha_connections == 1
        assert "Retrying connection in up to 2s" in shared.log._out.text


async def test_an_unauthorized_connection_is_tried_again(edge, store):
    token = dataclasses.replace(token_of(store), secret=b"wrong")
    async with inside(edge, store, token=token, wait=False) as shared:
        await until(lambda: shared.metrics.register_failed["server_error"] >= 2, 10)
        assert shared.metrics.registered == 0
        assert "Unauthorized: Invalid tunnel secret" in shared.log._out.text


async def test_another_ca_is_not_trusted(edge, store):
    async with inside(edge, store, wait=False) as shared:
        await until(lambda: shared.metrics.registered)
    shared_context = ssl.create_default_context()
    async with inside(edge, store, wait=False) as other:
        other.context = shared_context
        await until(lambda: store.connections.get(TUNNEL))
        edge.tunnels.drop(TUNNEL)
        await until(lambda: "CERTIFICATE_VERIFY_FAILED" in other.log._out.text)


async def test_a_stop_unregisters_and_ends_without_another_try(edge, store):
    async with inside(edge, store) as shared:
        shared.stopping.set_result(None)
        await until(lambda: shared.metrics.ha_connections == 0)
        assert "Unregistered tunnel connection" in shared.log._out.text
        assert shared.log._out.text.count("Registered tunnel connection") == 1
        assert store.connections[TUNNEL] == []
