import asyncio

import aiohttp
from aiohttp import web

from inferagent.lab.cloudflare.faults import Fault
from inferagent.lab.cloudflare.server import GATEWAY, PERMISSIONS, ROUTES, make_app, serve
from inferagent.lab.cloudflare.store import ACCOUNT_ID, Store

POOLS = f"/accounts/{ACCOUNT_ID}/load_balancers/pools"


async def test_a_left_port_is_taken_again_with_the_same_store() -> None:
    store = Store()
    store.add_token("lab", PERMISSIONS)
    async with serve(store) as first:
        pass
    async with serve(store, port=first.port) as second, aiohttp.ClientSession() as session:
        assert second.port == first.port
        async with session.get(second.url + POOLS, headers={"Authorization": "Bearer lab"}) as answer:
            assert answer.status == 200


async def test_calls_that_hang_end_when_the_server_does() -> None:
    app = make_app(Store())
    runner = web.AppRunner(app, shutdown_timeout=60)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app[GATEWAY].faults.add(Fault(kind="hang"))
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group, asyncio.timeout(5):
        call = group.create_task(
            outcome(session, f"http://127.0.0.1:{runner.addresses[0][1]}/client/v4/user")
        )
        while not app[GATEWAY].requests:  # noqa: ASYNC110  (nothing tells of a request)
            await asyncio.sleep(0.005)
        await runner.cleanup()
    assert call.result() == "torn down"


async def test_a_late_write_ends_with_the_server() -> None:
    store = Store()
    store.add_token("lab", PERMISSIONS)
    async with serve(store) as served, aiohttp.ClientSession() as session:
        served.faults.add(Fault(kind="late", answer="504", seconds=0.3))
        body = {"name": "gpu-1", "origins": [{"name": "a", "address": "b"}]}
        headers = {"Authorization": "Bearer lab"}
        async with session.post(served.url + POOLS, json=body, headers=headers) as answer:
            assert answer.status == 504
    await asyncio.sleep(0.4)  # nothing may happen: there is nothing to poll
    assert store.pools == {}


async def outcome(session: aiohttp.ClientSession, url: str) -> str:
    try:
        async with session.get(url) as answer:
            return str(answer.status)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        return "torn down"


def test_every_write_needs_a_permission_of_its_own() -> None:
    assert all(route.permissions for route in ROUTES if route.method != "GET")
    written = {name for route in ROUTES if route.method != "GET" for name in route.permissions}
    assert written == {
        "Load Balancing: Monitors and Pools Write",
        "Load Balancers Write",
        "Cloudflare Tunnel Write",
        "DNS Write",
    }
