"""The own pool read and written at the API stand-in."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from inferagent.adapters.clock import BootClock
from inferagent.adapters.cloudflare.budget import Budget
from inferagent.adapters.cloudflare.client import Client
from inferagent.adapters.cloudflare.identity import Promise, describe
from inferagent.adapters.cloudflare.own_pool import PUSH_DEADLINE_S, READ_DEADLINE_S, OwnPool, Place
from inferagent.lab.cloudflare.faults import Fault
from inferagent.lab.cloudflare.server import PERMISSIONS, Served, serve
from inferagent.lab.cloudflare.store import ACCOUNT_ID, ZONE_ID, Store
from inferagent.model.membership import Endpoint
from inferagent.ports import PortError
from inferagent.runtime.act import PUSH_DEADLINE

TOKEN = "t"
MACHINE = "0123456789abcdef"


class Hurried:
    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def boot(self) -> str:
        return "one"

    def wall(self) -> str:
        return ""

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


def pool(key: str, **fields: object) -> dict[str, object]:
    entry = {"name": key, "address": f"{key}.cfargotunnel.com", "enabled": True, "weight": 1.0}
    return {
        "id": key,
        "name": f"pool-{key}",
        "description": "",
        "enabled": True,
        "origins": [entry],
        **fields,
    }


@dataclass
class Rig:
    store: Store
    served: Served
    clock: Hurried
    client: Client
    own: OwnPool

    def paths(self) -> list[tuple[str, str]]:
        return [(seen.method, seen.path) for seen in self.served.gateway.requests]


@asynccontextmanager
async def rigged() -> AsyncIterator[Rig]:
    store, clock = Store(), Hurried()
    store.add_token(TOKEN, PERMISSIONS)
    store.put("pool", "a", pool("a", description=describe(Promise(MACHINE, ("chat",)))))
    for key in ("b", "c", "z"):
        store.put("pool", key, pool(key))
    balancer = {
        "id": "lb",
        "name": "llm",
        "enabled": True,
        "default_pools": ["b", "a", "c"],
        "fallback_pool": "z",
    }
    store.put("load_balancer", "lb", balancer)
    async with serve(store) as served:
        client = Client(served.url, TOKEN, clock=clock, random=lambda: 0.5, budget=Budget(600))
        own = OwnPool(client, Place(ACCOUNT_ID, ZONE_ID, "a", "lb"), clock)
        yield Rig(store, served, clock, client, own)
        await client.close()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with rigged() as found:
        yield found


def balancer(rig: Rig, **fields: object) -> None:
    rig.store.put("load_balancer", "lb", rig.store.load_balancers["lb"] | fields)
    rig.clock.at += 61


async def test_one_look_shows_this_host_and_its_peers_in_order(rig: Rig) -> None:
    rig.store.set_health("a", True)
    rig.store.set_health("c", False)
    view = await rig.own.read()
    assert view.own == Endpoint("pool-a", True, True, 1, MACHINE)
    assert view.peers == (Endpoint("pool-b", True, None, 0), Endpoint("pool-c", True, False, 2))


async def test_the_fallback_pool_is_no_peer_but_a_default_pool_that_is_fallback_too_is(rig: Rig) -> None:
    assert "pool-z" not in [peer.name for peer in (await rig.own.read()).peers or ()]
    balancer(rig, fallback_pool="c")
    assert "pool-c" in [peer.name for peer in (await rig.own.read()).peers or ()]


@pytest.mark.parametrize("level", ["pool", "endpoint", "load balancer"])
async def test_enabled_means_at_every_level(rig: Rig, level: str) -> None:
    assert (await rig.own.read()).own.enabled
    if level == "pool":
        rig.store.put("pool", "a", pool("a", enabled=False))
    elif level == "endpoint":
        rig.store.put("pool", "a", pool("a", origins=[{"name": "a", "address": "x", "enabled": False}]))
    else:
        balancer(rig, enabled=False)
    assert not (await rig.own.read()).own.enabled


async def test_a_push_is_one_call_that_writes_enabled_and_nothing_else(rig: Rig) -> None:
    before = dict(rig.store.pools["a"])
    await rig.own.push(False)
    assert rig.paths() == [("PATCH", f"/accounts/{ACCOUNT_ID}/load_balancers/pools/a")]
    (write,) = rig.store.writes
    assert write.body == {"enabled": False}
    changed = {key for key, value in rig.store.pools["a"].items() if before.get(key) != value}
    assert changed == {"enabled", "disabled_at", "modified_on"}
    await rig.own.push(True)
    assert rig.store.pools["a"]["enabled"] is True


async def test_the_load_balancer_is_read_once_a_minute(rig: Rig) -> None:
    for _ in range(3):
        await rig.own.read()
    assert len(rig.paths()) == 4
    rig.clock.at += 61
    await rig.own.read()
    assert len(rig.paths()) == 6


async def test_an_old_load_balancer_serves_for_five_minutes(rig: Rig) -> None:
    await rig.own.read()
    rig.served.faults.add(Fault(kind="status", path="/zones/"))
    rig.clock.at += 100
    assert (await rig.own.read()).own.name == "pool-a"
    rig.clock.at += 300
    with pytest.raises(PortError, match="cannot read the load balancer"):
        await rig.own.read()


async def test_a_pool_that_is_gone_is_unknown(rig: Rig) -> None:
    rig.store.put("load_balancer", "lb", rig.store.load_balancers["lb"] | {"default_pools": ["b"]})
    with pytest.raises(PortError, match="cannot find pool pool-a in the load balancer"):
        await rig.own.read()
    rig.store.remove("pool", "a")
    with pytest.raises(PortError, match="cannot find this host's pool"):
        await rig.own.read()


@pytest.mark.parametrize("result", ["{}", "[]", "null", '"pools"'])
async def test_an_odd_answer_is_unknown(rig: Rig, result: str) -> None:
    body = f'{{"success":true,"errors":[],"messages":[],"result":{result}}}'
    rig.served.faults.add(Fault(kind="garbage", body=body, path="pools|load_balancers/lb"))
    with pytest.raises(PortError, match="cannot"):
        await rig.own.read()


async def test_leaving_goes_on_when_the_share_for_reading_is_spent() -> None:
    async with rigged() as rig:
        client = Client(rig.served.url, TOKEN, clock=rig.clock, random=lambda: 0.5, budget=Budget(5))
        own = OwnPool(client, Place(ACCOUNT_ID, ZONE_ID, "a", "lb"), rig.clock)
        await own.read()
        with pytest.raises(PortError):
            await own.read()
        with pytest.raises(PortError):
            await own.push(True)
        await own.push(False)
        await client.close()
        assert rig.store.pools["a"]["enabled"] is False


async def test_a_load_balancer_that_never_answers_costs_less_than_a_look(rig: Rig) -> None:
    """The reading of the pools is at hand, and the old load balancer serves: neither may be lost."""
    client = Client(rig.served.url, TOKEN, clock=BootClock(), random=lambda: 0.5, budget=Budget(600))
    kept: list[float] = [rig.clock.at]

    class Jumping(BootClock):
        def now(self) -> float:
            return kept[0]

    own = OwnPool(client, Place(ACCOUNT_ID, ZONE_ID, "a", "lb"), Jumping())
    await own.read()
    rig.served.faults.add(Fault(kind="hang", path="/zones/"))
    kept[0] += 100
    async with asyncio.timeout(10.0 - READ_DEADLINE_S):
        assert (await own.read()).own.name == "pool-a"
    await client.close()


def test_a_push_ends_by_itself_before_its_job_is_ended() -> None:
    """Else the job's error would not say what Cloudflare answered."""
    assert PUSH_DEADLINE_S < PUSH_DEADLINE


@pytest.mark.parametrize(
    "fields",
    [
        {"enabled": "false"},
        {"enabled": 0},
        {"origins": 5},
        {"origins": ["a"]},
        {"origins": [{"enabled": "no"}]},
    ],
)
@pytest.mark.parametrize("key", ["a", "b"])
async def test_a_pool_of_other_types_is_unknown_and_not_enabled(
    rig: Rig, key: str, fields: dict[str, object]
) -> None:
    rig.store.put("pool", key, pool(key, **fields))
    with pytest.raises(PortError, match=f"cannot read pool pool-{key}"):
        await rig.own.read()


def told(rig: Rig, *pools: dict[str, object]) -> None:
    body = f'{{"success":true,"errors":[],"messages":[],"result":{json.dumps(pools)}}}'
    rig.served.faults.add(Fault(kind="garbage", body=body, path="load_balancers/pools"))


async def test_what_is_not_told_is_as_the_api_documents_it(rig: Rig) -> None:
    told(rig, {"id": "a", "name": 7, "description": 7, "healthy": "yes", "origins": [{"name": "a"}]})
    assert (await rig.own.read()).own == Endpoint("", True, None, 1)


async def test_a_pool_without_endpoints_is_not_enabled(rig: Rig) -> None:
    told(rig, pool("a", origins=None))
    assert not (await rig.own.read()).own.enabled


@pytest.mark.parametrize(
    "fields", [{"enabled": "no"}, {"default_pools": {"a": 1}}, {"default_pools": ["a", 5]}]
)
async def test_a_load_balancer_of_other_types_is_unknown(rig: Rig, fields: dict[str, object]) -> None:
    balancer(rig, **fields)
    with pytest.raises(PortError, match="cannot read the load balancer"):
        await rig.own.read()


async def test_a_pool_that_is_told_twice_is_unknown(rig: Rig) -> None:
    told(rig, pool("a"), pool("a", enabled=False))
    with pytest.raises(PortError, match="a is there twice"):
        await rig.own.read()


async def test_the_first_mention_of_a_pool_is_its_rank(rig: Rig) -> None:
    balancer(rig, default_pools=["a", "b", "a"])
    view = await rig.own.read()
    assert (view.own.rank, [peer.rank for peer in view.peers or ()]) == (0, [1])
