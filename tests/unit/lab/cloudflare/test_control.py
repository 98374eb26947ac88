from collections.abc import AsyncIterator

import aiohttp
import pytest

from inferagent.lab.cloudflare.dns import WRITE
from inferagent.lab.cloudflare.server import Served, serve
from inferagent.lab.cloudflare.store import ZONE_ID, Store

RECORDS = f"/zones/{ZONE_ID}/dns_records"
HEADERS = {"Authorization": "Bearer lab"}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve(Store()) as served:
        yield served


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(raise_for_status=False) as session:
        yield session


async def test_a_token_and_a_fault_from_outside(served: Served, session: aiohttp.ClientSession) -> None:
    token = {"value": "lab", "permissions": [WRITE]}
    async with session.post(f"{served.lab_url}/tokens", json=token) as answer:
        token_id = (await answer.json())["id"]
    fault = {"kind": "status", "status": 500, "count": 1, "path": "/dns_records$", "token": token_id}
    async with session.post(f"{served.lab_url}/faults", json=fault) as answer:
        key = (await answer.json())["id"]
    async with session.get(f"{served.lab_url}/faults") as answer:
        assert (await answer.json())[key]["status"] == 500
    for expected in (500, 200):
        async with session.get(served.url + RECORDS, headers=HEADERS) as answer:
            assert answer.status == expected


async def test_faults_are_removed(served: Served, session: aiohttp.ClientSession) -> None:
    for _ in range(2):
        async with session.post(f"{served.lab_url}/faults", json={"kind": "hang"}) as answer:
            key = (await answer.json())["id"]
    outcomes = []
    for path in (f"faults/{key}", f"faults/{key}", "faults"):
        async with session.delete(f"{served.lab_url}/{path}") as answer:
            outcomes.append(answer.status)
    assert outcomes == [200, 404, 200]
    assert served.faults.in_force() == {}


@pytest.mark.parametrize("body", ["{", '{"kind": "flood"}', "[]"])
async def test_a_bad_request_is_told(served: Served, session: aiohttp.ClientSession, body: str) -> None:
    async with session.post(f"{served.lab_url}/faults", data=body) as answer:
        assert answer.status == 400
        assert (await answer.text()).startswith("cannot read the request: ")


async def test_state_and_journals_hide_secrets(served: Served, session: aiohttp.ClientSession) -> None:
    store = served.gateway.store
    store.add_token("lab", ["Cloudflare Tunnel Write"])
    tunnels = f"/accounts/{store.account['id']}/cfd_tunnel"
    body = {"name": "gpu-1", "tunnel_secret": "QUFB" * 12}
    async with session.post(served.url + tunnels, json=body, headers=HEADERS) as answer:
        assert answer.status == 200
    told = {}
    for name in ("state", "journal", "requests"):
        async with session.get(f"{served.lab_url}/{name}") as answer:
            assert "QUFB" not in await answer.text()
            told[name] = await answer.json()
    assert [t["name"] for t in told["state"]["tunnels"].values()] == ["gpu-1"]
    assert [(w["method"], w["body"]) for w in told["journal"]] == [("POST", {"name": "gpu-1"})]
    assert [(r["path"], r["status"]) for r in told["requests"]] == [(tunnels, 200)]
