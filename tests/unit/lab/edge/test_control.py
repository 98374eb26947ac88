import json

import aiohttp
import pytest
from aiohttp import web
from tests.support.edge_lab import TUNNEL, inside, until

from inferagent.lab.edge.control import BadCommandError
from inferagent.lab.edge.http import edge_routes


async def test_the_status_is_json_and_tells_all(edge, store, connected):
    status = json.loads(json.dumps(edge.status()))
    assert status["state"] == "up"
    assert status["routed"] == {"pool-a": True}
    assert status["tunnels"][TUNNEL][0]["in_use"] == 0
    assert set(status["counters"]) >= {"requests", "statuses", "causes", "probes"}


async def test_a_pool_is_routed_to_while_it_is_enabled_and_healthy_at_the_edge(edge, store):
    pool = store.pools["pool-a"]
    store.put("monitor", "m", {"id": "m", "type": "https", "path": "/", "interval": 3600})
    store.put("pool", "pool-a", pool | {"monitor": "m"})
    assert edge.status()["routed"] == {"pool-a": False}, "its monitor has not looked yet"
    store.put("pool", "pool-a", pool)
    assert edge.status()["routed"] == {"pool-a": True}
    edge.view.lag = (60.0, 60.0)
    store.put("pool", "pool-a", pool | {"enabled": False})
    assert edge.status()["routed"] == {"pool-a": True}, "the change is still on its way"


async def test_each_order_does_what_it_says(edge, store):
    async with inside(edge, store) as shared:
        await edge.command({"do": "cut", "tunnel": TUNNEL})
        await until(lambda: shared.metrics.registered == 2)
        assert (await edge.command({"do": "dead", "tunnel": TUNNEL}))["dead"] == [TUNNEL]
        assert (await edge.command({"do": "dead", "tunnel": TUNNEL, "dead": False}))["dead"] == []
        status = await edge.command({"do": "lag", "lag": [1, 2], "cache_s": 3})
        assert (status["lag"], status["cache_s"]) == ([1.0, 2.0], 3.0)
        assert (await edge.command({"do": "monitors", "paused": True}))["monitors_paused"] is True
        assert (await edge.command({"do": "fault", "pool": "p", "status": 522}))["faults"] == {"p": 522}
        assert (await edge.command({"do": "fault", "pool": "p", "status": None}))["faults"] == {}
        assert (await edge.command({"do": "edge", "state": "hang"}))["state"] == "hang"


@pytest.mark.parametrize(
    "order", [{}, {"do": "fly"}, {"do": "edge", "state": "sideways"}, {"do": "cut"}, {"do": "lag", "lag": 3}]
)
async def test_what_cannot_be_understood_is_said(edge, order):
    with pytest.raises(BadCommandError, match="cannot"):
        await edge.command(order)


async def test_over_http(edge):
    app = web.Application()
    app.router.add_routes(edge_routes(edge))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/lab/edge"
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as answer:
                assert (await answer.json())["state"] == "up"
            async with session.post(url, json={"do": "monitors", "paused": True}) as answer:
                assert (await answer.json())["monitors_paused"] is True
            for bad in (b"[]", b"{", b'{"do":"fly"}'):
                async with session.post(url, data=bad) as answer:
                    assert (answer.status, (await answer.text())[:6]) == (
                        400,
                        "cannot" if bad != b"{" else "Expect",
                    )
    finally:
        await runner.cleanup()
