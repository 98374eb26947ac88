"""Fixtures of the edge and connector tests; a conftest takes them in by name."""

import aiohttp
import pytest
from tests.support.edge_lab import PUBLIC, Origin, add_balancer, add_pool, fresh_account, inside

from inferagent.lab.edge.server import serve_edge
from inferagent.lab.edge.settings import EdgeSettings

AT_ONCE = EdgeSettings(lag=(0, 0), cache_s=0)


@pytest.fixture
async def origin():
    async with Origin() as running:
        yield running


@pytest.fixture
def store(origin):
    account = fresh_account(origin.url)
    add_pool(account, "pool-a")
    add_balancer(account, ["pool-a"])
    return account


@pytest.fixture
async def edge(store, tmp_path):
    async with serve_edge(store, AT_ONCE, tmp_path) as running:
        yield running


@pytest.fixture
async def connected(edge, store):
    async with inside(edge, store) as shared:
        yield shared


@pytest.fixture
async def users(edge):
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{edge.public_port}", headers={"Host": PUBLIC}
    ) as session:
        yield session
