import asyncio
import dataclasses
import socket

import pytest
from tests.support.edge_lab import TUNNEL, configure, inside, token_of, until

from inferagent.lab.edge.server import serve_edge
from inferagent.lab.edge.settings import EdgeSettings


async def test_registered_connections_are_in_the_store(edge, store):
    async with inside(edge, store, connections=3) as shared:
        shown = store.connections[TUNNEL]
        assert len(shown) == 3
        assert {one["client_id"] for one in shown} == {str(shared.connector_id)}
        assert shown[0]["origin_ip"] == "127.0.0.1"
        assert store.tunnels[TUNNEL]["status"] == "degraded"
    await until(lambda: store.connections[TUNNEL] == [])
    assert store.tunnels[TUNNEL]["status"] == "down"


@pytest.mark.parametrize("wrong", [{"secret": b"x" * 32}, {"account": "b" * 32}])
async def test_who_cannot_prove_himself_is_refused(edge, store, wrong):
    token = dataclasses.replace(token_of(store), **wrong)
    async with inside(edge, store, token=token, wait=False) as shared:
        await until(lambda: edge.counters.refused[TUNNEL] >= 1)
        await until(lambda: shared.metrics.register_failed["server_error"] >= 1)
    assert store.connections.get(TUNNEL, []) == []


async def test_a_deleted_tunnel_is_refused_and_cut(edge, store):
    async with inside(edge, store) as shared:
        store.remove("tunnel", TUNNEL)
        await until(lambda: shared.metrics.register_failed["server_error"] >= 1)
        assert edge.tunnels.pick(TUNNEL) is None


async def test_turns_are_taken_among_the_nearest_replicas_connections(edge, store):
    async with inside(edge, store, connections=2) as near, inside(edge, store, connections=2):
        picked = [edge.tunnels.pick(TUNNEL) for _ in range(20)]
        assert len(set(picked)) == 2
        assert {one.identity.client_id for one in picked} == {str(near.connector_id)}


async def test_a_replica_takes_over(edge, store):
    async with inside(edge, store) as far:
        async with inside(edge, store):
            pass
        await until(lambda: len(store.connections[TUNNEL]) == 1)
        assert edge.tunnels.pick(TUNNEL).identity.client_id == str(far.connector_id)


async def test_spread_gives_the_others_some(store, tmp_path):
    settings = EdgeSettings(spread=0.3)
    async with (
        serve_edge(store, settings, tmp_path) as edge,
        inside(edge, store) as near,
        inside(edge, store),
    ):
        picked = [edge.tunnels.pick(TUNNEL).identity.client_id for _ in range(500)]
        assert len(set(picked)) == 2
        assert 0.6 < picked.count(str(near.connector_id)) / 500 < 0.8


async def test_dead_is_dead_to_users_only(edge, store):
    async with inside(edge, store) as shared:
        edge.tunnels.dead.add(TUNNEL)
        assert edge.tunnels.pick(TUNNEL) is None
        assert shared.metrics.registered == 1


async def test_drop_one_connector(edge, store):
    async with inside(edge, store) as one, inside(edge, store) as two:
        store.drop_connections(TUNNEL, str(one.connector_id))
        await until(lambda: one.metrics.registered == 2)
        assert two.metrics.registered == 1
        store.drop_connections(TUNNEL)
        await until(lambda: two.metrics.registered == 2)


async def test_refuse_and_hang_and_up_again(edge, store):
    async with inside(edge, store) as shared:
        await edge.tunnels.set_state("refuse")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", edge.tunnel_port)
        await until(lambda: store.connections[TUNNEL] == [])
        await edge.tunnels.set_state("hang")
        await until(lambda: edge.tunnels._links)
        assert shared.metrics.registered == 1
        await edge.tunnels.set_state("up")
        await until(lambda: shared.metrics.registered == 2)
        await edge.tunnels.set_state("up")
        assert edge.tunnels.pick(TUNNEL) is not None


async def test_a_new_configuration_is_pushed_to_all(edge, store):
    async with inside(edge, store, connections=2) as shared:
        configure(store, [{"service": "http_status:418"}], 9)
        await until(lambda: shared.configuration.version == 9)
        answered = [connection.config_answer for connection in edge.tunnels.connections(TUNNEL)]
        await until(
            lambda: (
                [c.config_answer.get("lastAppliedVersion") for c in edge.tunnels.connections(TUNNEL)]
                == [9, 9]
            )
        )
        assert len(answered) == 2


async def test_every_address_has_the_one_port(edge):
    assert {address.rpartition(":")[2] for address in edge.addresses} == {str(edge.tunnel_port)}
    for address in edge.addresses:
        _, writer = await asyncio.open_connection(address.rpartition(":")[0], edge.tunnel_port)
        writer.close()


async def test_a_taken_port_is_said(store, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = EdgeSettings(tunnel_port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            async with serve_edge(store, settings, tmp_path):
                pass
