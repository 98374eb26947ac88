import asyncio

import pytest
from tests.support.edge_lab import TUNNEL, inside

from inferagent.lab.edge.server import serve_edge
from inferagent.lab.edge.settings import EdgeSettings


async def test_all_ends_on_leaving(store, tmp_path):
    async with serve_edge(store, EdgeSettings(), tmp_path) as edge:
        ports = edge.tunnel_port, edge.public_port
        assert edge.ca_path.read_text().startswith("-----BEGIN CERTIFICATE")
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    store.put("monitor", "m", {"id": "m"})
    store.put("pool", "late", {"id": "late", "enabled": True, "monitor": "m", "origins": []})
    assert len(asyncio.all_tasks()) == 1


async def test_what_the_body_raises_comes_out_as_itself(store, tmp_path):
    with pytest.raises(KeyError, match="mine"):
        async with serve_edge(store, EdgeSettings(), tmp_path):
            raise KeyError("mine")


async def test_chosen_ports_can_be_taken_again_at_once(store, tmp_path):
    async with serve_edge(store, EdgeSettings(), tmp_path) as edge:
        ports = edge.tunnel_port, edge.public_port
        async with inside(edge, store):
            pass
    again = EdgeSettings(tunnel_port=ports[0], public_port=ports[1])
    async with serve_edge(store, again, tmp_path) as edge:
        assert (edge.tunnel_port, edge.public_port) == ports
        async with inside(edge, store):
            assert edge.tunnels.pick(TUNNEL) is not None
