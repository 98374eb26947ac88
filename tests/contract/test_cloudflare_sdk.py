"""The official SDK, its answers strictly validated, drives every endpoint of the API that setup uses."""

import base64
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import cloudflare
import pytest
from cloudflare import AsyncCloudflare, BaseModel

from inferagent.lab.cloudflare.server import PERMISSIONS, Served, serve
from inferagent.lab.cloudflare.store import ACCOUNT_ID, ZONE_ID, Store

TOKEN = "lab-token-of-a-user"
UNPUBLISHED = {"healthy", "token", "Amsterdam, NL"}
"""Keys that the real API answers and the published schema lacks."""


@pytest.fixture
def store() -> Store:
    store = Store()
    store.add_token(TOKEN, PERMISSIONS)
    store.add_token("account-token", PERMISSIONS, account_owned=True)
    return store


@pytest.fixture
async def served(store: Store) -> AsyncIterator[Served]:
    async with serve(store) as served:
        yield served


@pytest.fixture
async def sdk(served: Served) -> AsyncIterator[AsyncCloudflare]:
    async with client(served) as sdk:
        yield sdk


def client(served: Served, token: str = TOKEN) -> AsyncCloudflare:
    return AsyncCloudflare(
        api_token=token, base_url=served.url, max_retries=0, _strict_response_validation=True, timeout=5
    )


def unknown_keys(value: Any) -> set[str]:
    """Keys in an answer, at any depth, that the SDK's models do not declare."""
    if isinstance(value, list):
        return {key for item in value for key in unknown_keys(item)}
    if not isinstance(value, BaseModel):
        return set()
    inner = {key for name in type(value).model_fields for key in unknown_keys(getattr(value, name))}
    return set(value.model_extra or {}) | inner


def checked(value: Any) -> Any:
    assert value is not None
    assert unknown_keys(value) <= UNPUBLISHED
    return value


async def test_tokens_and_places(served: Served, sdk: AsyncCloudflare) -> None:
    verified = checked(await sdk.user.tokens.verify())
    assert verified.status == "active"
    async with client(served, "account-token") as owned:
        assert checked(await owned.accounts.tokens.verify(account_id=ACCOUNT_ID)).status == "active"
        with pytest.raises(cloudflare.AuthenticationError):
            await owned.user.tokens.verify()
    accounts = [checked(account) async for account in sdk.accounts.list()]
    assert [account.id for account in accounts] == [ACCOUNT_ID]
    zones = [checked(zone) async for zone in sdk.zones.list(name="example.com")]
    assert [zone.id for zone in zones] == [ZONE_ID]
    assert [zone async for zone in sdk.zones.list(name="elsewhere.com")] == []
    assert checked(await sdk.zones.get(zone_id=ZONE_ID)).name == "example.com"


async def test_tunnel(store: Store, sdk: AsyncCloudflare) -> None:
    tunnels = sdk.zero_trust.tunnels.cloudflared
    made = checked(await tunnels.create(account_id=ACCOUNT_ID, name="gpu-1", config_src="cloudflare"))
    assert (made.status, made.remote_config) == ("inactive", True)
    listed = [checked(t) async for t in tunnels.list(account_id=ACCOUNT_ID, name="gpu-1", is_deleted=False)]
    assert [tunnel.id for tunnel in listed] == [made.id]
    assert checked(await tunnels.get(account_id=ACCOUNT_ID, tunnel_id=made.id)).name == "gpu-1"

    token = checked(await tunnels.token.get(account_id=ACCOUNT_ID, tunnel_id=made.id))
    parts = json.loads(base64.b64decode(token))
    assert (parts["a"], parts["t"]) == (ACCOUNT_ID, made.id)
    assert len(base64.b64decode(parts["s"])) == 32

    renamed = checked(await tunnels.edit(account_id=ACCOUNT_ID, tunnel_id=made.id, name="gpu-2"))
    assert renamed.name == "gpu-2"
    checked(await tunnels.delete(account_id=ACCOUNT_ID, tunnel_id=made.id))
    assert [t async for t in tunnels.list(account_id=ACCOUNT_ID, is_deleted=False)] == []
    assert store.tunnels == {}


async def test_tunnel_configuration(sdk: AsyncCloudflare) -> None:
    """The published schema wants a hostname in every rule, so the catch-all names an empty one here."""
    tunnels = sdk.zero_trust.tunnels.cloudflared
    made = await tunnels.create(account_id=ACCOUNT_ID, name="gpu-1", config_src="cloudflare")
    where = {"account_id": ACCOUNT_ID, "tunnel_id": made.id}
    ingress: Any = [
        {"hostname": "gpu-1.example.com", "path": "^/ready$", "service": "http://127.0.0.1:8790"},
        {
            "hostname": "gpu-1.example.com",
            "service": "http://127.0.0.1:11434",
            "origin_request": {"http_host_header": "localhost", "connect_timeout": 5},
        },
        {"hostname": "", "service": "http_status:404"},
    ]
    put = checked(await tunnels.configurations.update(**where, config={"ingress": ingress}))
    assert put.version == 1
    got = checked(await tunnels.configurations.get(**where))
    assert got.config.ingress[1].origin_request.http_host_header == "localhost"
    assert got.config.ingress[0].path == "^/ready$"


async def test_tunnel_connections(store: Store, sdk: AsyncCloudflare) -> None:
    tunnels = sdk.zero_trust.tunnels.cloudflared
    made = await tunnels.create(account_id=ACCOUNT_ID, name="gpu-1", config_src="cloudflare")
    connection = {
        "id": str(uuid.uuid4()),
        "client_id": str(uuid.uuid4()),
        "client_version": "2026.8.2",
        "colo_name": "ams01",
        "is_pending_reconnect": False,
        "opened_at": "2026-01-01T00:00:00Z",
        "origin_ip": "127.0.0.1",
        "arch": "linux_amd64",
        "config_version": 1,
    }
    store.set_connections(made.id, [connection])
    where = {"account_id": ACCOUNT_ID, "tunnel_id": made.id}
    connectors = [checked(c) async for c in await tunnels.connections.get(**where)]
    assert [(c.version, c.arch, len(c.conns)) for c in connectors] == [("2026.8.2", "linux_amd64", 1)]
    dropped: list[Any] = []
    store.subscribe(lambda *change: dropped.append(change))
    assert await tunnels.connections.delete(**where) == {}
    assert dropped == [("tunnel_connections", made.id, {"client_id": None})]


async def test_dns_records(sdk: AsyncCloudflare) -> None:
    records = sdk.dns.records
    made = checked(
        await records.create(
            zone_id=ZONE_ID,
            type="CNAME",
            name="gpu-1.example.com",
            content="x.cfargotunnel.com",
            ttl=1,
            proxied=True,
        )
    )
    for number in range(5):
        await records.create(zone_id=ZONE_ID, type="A", name=f"h{number}", content="192.0.2.1", ttl=60)
    every = [checked(record) async for record in records.list(zone_id=ZONE_ID, per_page=2)]
    assert len(every) == 6
    by_name = [r async for r in records.list(zone_id=ZONE_ID, name={"exact": "gpu-1.example.com"})]
    assert [record.id for record in by_name] == [made.id]
    where = {"zone_id": ZONE_ID, "dns_record_id": made.id}
    body: Any = {"type": "CNAME", "name": "gpu-1.example.com", "content": "y.cfargotunnel.com", "ttl": 1}
    assert checked(await records.update(**where, **body)).proxied is False
    assert checked(await records.edit(**where, **body | {"proxied": True})).proxied is True
    assert checked(await records.get(**where)).content == "y.cfargotunnel.com"
    assert checked(await records.delete(**where)).id == made.id


async def test_monitors(sdk: AsyncCloudflare) -> None:
    monitors = sdk.load_balancers.monitors
    wanted: Any = {
        "type": "https",
        "port": 443,
        "path": "/.inferagent/ready",
        "header": {"Host": ["gpu-1.example.com"]},
        "interval": 60,
        "load_balancer_monitor_timeout": 5,
        "expected_codes": "200",
        "consecutive_down": 2,
    }
    made = checked(await monitors.create(account_id=ACCOUNT_ID, **wanted))
    where = {"account_id": ACCOUNT_ID, "monitor_id": made.id}
    assert made.header == {"Host": ["gpu-1.example.com"]}
    assert checked(await monitors.update(**where, type="http")).path == "/"
    assert checked(await monitors.edit(**where, interval=30)).interval == 30
    assert checked(await monitors.get(**where)).type == "http"
    assert [m.id async for m in monitors.list(account_id=ACCOUNT_ID)] == [made.id]
    assert [r async for r in await monitors.references.get(**where)] == []
    assert checked(await monitors.delete(**where)).id == made.id


async def test_pools_and_load_balancer(store: Store, sdk: AsyncCloudflare) -> None:
    pools = sdk.load_balancers.pools
    monitor = await sdk.load_balancers.monitors.create(account_id=ACCOUNT_ID, type="https")
    endpoint: Any = {
        "name": "gpu-1",
        "address": "x.cfargotunnel.com",
        "weight": 1,
        "header": {"host": ["gpu-1.example.com"]},
    }
    made = checked(
        await pools.create(
            account_id=ACCOUNT_ID, name="gpu-1", origins=[endpoint], enabled=False, monitor=monitor.id
        )
    )
    where = {"account_id": ACCOUNT_ID, "pool_id": made.id}
    assert made.disabled_at is not None
    assert checked(await pools.edit(**where, enabled=True)).disabled_at is None
    detail = {
        "x.cfargotunnel.com": {"healthy": True, "rtt": "1ms", "failure_reason": "", "response_code": 200}
    }
    store.set_health(made.id, True, detail)
    listed = [checked(p) async for p in pools.list(account_id=ACCOUNT_ID)]
    assert [(p.id, p.healthy) for p in listed] == [(made.id, True)]
    health = checked(await pools.health.get(**where))
    assert health.pop_health.model_extra["Amsterdam, NL"]["healthy"] is True
    assert checked(await pools.update(**where, name="gpu-1", origins=[endpoint])).origins[0].weight == 1

    balancers = sdk.load_balancers
    balancer = checked(
        await balancers.create(
            zone_id=ZONE_ID,
            name="chat.example.com",
            default_pools=[made.id],
            fallback_pool=made.id,
            proxied=True,
            steering_policy="random",
            random_steering={"default_weight": 0.2, "pool_weights": {made.id: 0.8}},
            adaptive_routing={"failover_across_pools": True},
        )
    )
    here = {"zone_id": ZONE_ID, "load_balancer_id": balancer.id}
    assert checked(await balancers.get(**here)).random_steering.pool_weights == {made.id: 0.8}
    assert [b.id async for b in balancers.list(zone_id=ZONE_ID)] == [balancer.id]
    assert checked(await balancers.edit(**here, enabled=False)).enabled is False
    whole: Any = {"name": "chat.example.com", "default_pools": [made.id], "fallback_pool": made.id}
    assert checked(await balancers.update(**here, **whole)).enabled is True
    references = [checked(r) async for r in await pools.references.get(**where)]
    assert [r.resource_id for r in references] == [balancer.id]
    with pytest.raises(cloudflare.APIStatusError) as refused:
        await pools.delete(**where)
    assert (refused.value.status_code, refused.value.errors[0].code) == (412, 1005)
    assert checked(await balancers.delete(**here)).id == balancer.id
    assert checked(await pools.delete(**where)).id == made.id
