import asyncio

from tests.support.edge_lab import TUNNEL, inside, until

from inferagent.lab.edge.server import serve_edge
from inferagent.lab.edge.settings import EdgeSettings


async def test_a_stop_takes_no_new_streams_and_closes_when_the_last_is_done(edge, store, users):
    async with inside(edge, store) as shared:
        connection = edge.tunnels.connections(TUNNEL)[0]
        async with users.get("/events?n=10&every=0.05") as answer:
            shared.stopping.set_result(None)
            await until(lambda: connection.leaving)
            assert edge.tunnels.pick(TUNNEL) is None
            assert (connection.in_use, connection.link.lost) == (1, False)
            assert (await answer.read()).count(b"data:") == 10
        await until(lambda: connection.link.lost)


async def test_an_idle_connection_closes_at_once_on_unregister(edge, store):
    async with inside(edge, store) as shared:
        connection = edge.tunnels.connections(TUNNEL)[0]
        shared.stopping.set_result(None)
        await until(lambda: connection.link.lost, 2)


async def test_a_connector_that_does_not_answer_pings_is_dropped(store, tmp_path):
    settings = EdgeSettings(ping_s=0.05, dead_s=0.2)
    async with serve_edge(store, settings, tmp_path) as edge, inside(edge, store) as shared:
        connection = edge.tunnels.connections(TUNNEL)[0]
        await until(lambda: connection.link.h2.inbound_flow_control_window)
        assert connection.identity.client_id == str(shared.connector_id)
        connection.link._transport.pause_reading()
        await until(lambda: connection.link.lost, 3)
        await until(lambda: shared.metrics.registered == 2, 5)


async def test_pings_that_are_answered_keep_it(store, tmp_path):
    async with (
        serve_edge(store, EdgeSettings(ping_s=0.01, dead_s=2), tmp_path) as edge,
        inside(edge, store) as shared,
    ):
        connection = edge.tunnels.connections(TUNNEL)[0]
        for _ in range(5):
            await connection.link.ping()
        assert (connection.link.lost, shared.metrics.registered) == (False, 1)


async def test_the_connectors_word_on_a_push_is_kept(edge, store, connected):
    connection = edge.tunnels.connections(TUNNEL)[0]
    async with asyncio.timeout(5):
        await connection.push(5, {"ingress": [{"service": "http://127.0.0.1:1/"}]})
    assert connection.config_answer["lastAppliedVersion"] == 1
    assert "cannot reach" in connection.config_answer["err"]


async def test_a_push_over_a_lost_link_says_nothing(edge, store):
    async with inside(edge, store):
        connection = edge.tunnels.connections(TUNNEL)[0]
        connection.config_answer = {}
        connection.link.abort()
        await until(lambda: connection.link.lost)
        await connection.push(6, {"ingress": []})
        assert connection.config_answer == {}
