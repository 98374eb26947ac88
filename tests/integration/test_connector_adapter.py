"""The connector adapter on a running connector: the stand-in, and the real cloudflared where
INFERAGENT_CLOUDFLARED names it."""

import asyncio
import os

import aiohttp
import pytest
from tests.support.edge_lab import (
    HOST,
    PUBLIC,
    STAND_IN,
    TUNNEL,
    Origin,
    add_balancer,
    add_pool,
    configure,
    fresh_account,
    started,
)

from inferagent.adapters.clock import BootClock
from inferagent.adapters.tunnel.cloudflared import Cloudflared, tunnel_of
from inferagent.lab.edge.server import serve_edge
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.model.reading import Failed, known
from inferagent.model.tunnel import IngressRule, Traffic

REAL = os.environ.get("INFERAGENT_CLOUDFLARED", "")
READY_RULE = {"hostname": HOST, "path": r"^/\.inferagent/ready$", "service": "http://127.0.0.1:9"}
LAST = {"service": "http_status:404"}
ABSENT = pytest.mark.skipif(not REAL, reason="REAL CONNECTOR NOT TESTED: INFERAGENT_CLOUDFLARED is not set")


@pytest.fixture(params=[pytest.param(STAND_IN, id="stand-in"), pytest.param([REAL], id="real", marks=ABSENT)])
def command(request):
    return request.param


async def look_until(connector, wanted, seconds=15.0):
    async with asyncio.timeout(seconds):
        while not wanted(look := await connector.look()):  # noqa: ASYNC110 (a process's condition)
            await asyncio.sleep(0.05)
    return look


async def test_a_connectors_life(command, tmp_path):
    async with Origin() as origin:
        store = fresh_account(origin.url)
        add_pool(store, "pool-a")
        add_balancer(store, ["pool-a"])
        token = store.tunnel_token(TUNNEL)
        assert tunnel_of(token) == TUNNEL
        async with (
            serve_edge(store, EdgeSettings(lag=(0, 0), cache_s=0), tmp_path) as edge,
            started(command, edge, store, tmp_path) as process,
            aiohttp.ClientSession(f"http://127.0.0.1:{edge.public_port}", headers={"Host": PUBLIC}) as users,
        ):
            connector = Cloudflared(process.base.removeprefix("http://"), clock=BootClock())
            look = await look_until(connector, lambda look: known(look.ready) == 2)
            assert known(look.tunnel_id) == TUNNEL
            assert look.version.startswith("20")
            look = await look_until(connector, lambda look: known(look.ingress).version == 1)
            rule, last = IngressRule(HOST, "", origin.url), IngressRule("", "", "http_status:404")
            assert known(look.ingress).rules == (rule, last)
            configure(store, [READY_RULE, {"hostname": HOST, "service": origin.url}, LAST], 2)
            look = await look_until(connector, lambda look: known(look.ingress).version == 2)
            ready = IngressRule(HOST, READY_RULE["path"], READY_RULE["service"])
            assert known(look.ingress).rules == (ready, rule, last)
            await _count(connector, users, origin)
            process.process.kill()
            await process.process.wait()
            look = await connector.look()
            assert known(look.ready) == 0
            assert isinstance(look.traffic, Failed)
            await connector.aclose()


async def _count(connector, users, origin):
    """A request that waits is in flight, and stays counted when it is over."""
    before = known((await connector.look()).traffic)
    failed = before.failed
    async with users.get("/events?n=10&wait=1"):
        await look_until(connector, lambda look: known(look.traffic) == Traffic(before.total + 1, 1, failed))
        origin.go_on.set()
    look = await look_until(connector, lambda look: known(look.traffic).in_flight == 0)
    assert known(look.traffic).total == before.total + 1
    origin.status = 500
    async with users.get("/ill") as answer:
        assert answer.status == 500
    look = await look_until(connector, lambda look: known(look.traffic).total == before.total + 2)
    assert known(look.traffic).failed == failed + 1
