"""The stand-in over a real socket: the order of counting, faults, admission and handling."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from inferagent.lab.cloudflare.faults import Fault
from inferagent.lab.cloudflare.pools import READ, WRITE
from inferagent.lab.cloudflare.server import Served, serve
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.cloudflare.store import ACCOUNT_ID, Store

POOLS = f"/accounts/{ACCOUNT_ID}/load_balancers/pools"
ENDPOINTS = [{"name": "gpu-1", "address": "x.cfargotunnel.com"}]
DEADLINE_S = 5.0


class Caller:
    """A plain client of one stand-in; `token` is the id of its only token."""

    def __init__(self, store: Store, served: Served, session: aiohttp.ClientSession) -> None:
        self.store, self.served, self.session = store, served, session
        self.token = store.tokens["lab"].id

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        async with self.session.request(method, self.served.url + path, json=body, **more) as answer:
            return answer.status, await answer.json()

    async def pool(self) -> str:
        _, told = await self("POST", POOLS, {"name": "gpu-1", "origins": ENDPOINTS})
        return f"{POOLS}/{told['result']['id']}"

    def fault(self, kind: Any, **more: Any) -> None:
        self.served.faults.add(Fault(kind=kind, **more))

    def enabled(self) -> list[bool]:
        return [pool["enabled"] for pool in self.store.pools.values()]


def started(store: Store, settings: Settings) -> Any:
    store.add_token("lab", [READ, WRITE])
    return serve(store, settings)


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    store = Store()
    async with started(store, Settings(rate_limit=40)) as served, client() as session:
        yield Caller(store, served, session)


def client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        headers={"Authorization": "Bearer lab"}, timeout=aiohttp.ClientTimeout(total=DEADLINE_S)
    )


async def until(condition: Any) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  (the condition is the store's, not an event)
            await asyncio.sleep(0.005)


async def test_a_write_is_applied_answered_and_journalled(caller: Caller) -> None:
    pool = await caller.pool()
    status, told = await caller("PATCH", pool, {"enabled": False})
    assert (status, told["success"], told["result"]["enabled"]) == (200, True, False)
    write = caller.store.writes[-1]
    assert (write.method, write.path, write.body) == ("PATCH", pool, {"enabled": False})
    assert write.token == caller.token


async def test_a_refused_write_is_not_journalled(caller: Caller) -> None:
    pool = await caller.pool()
    status, told = await caller("PATCH", pool, {"enabled": 0})
    assert (status, told["success"], told["result"]) == (400, False, None)
    assert [write.method for write in caller.store.writes] == ["POST"]


async def test_unknown_paths_and_methods_are_refused_in_the_envelope(caller: Caller) -> None:
    for method, path in (("GET", "/nowhere"), ("PUT", POOLS), ("GET", "/")):
        status, told = await caller(method, path)
        assert (status, told["errors"][0]["code"]) == (404, 7003)


@pytest.mark.parametrize("text", ["", "{", "not json"])
async def test_a_body_that_is_no_json_is_refused(caller: Caller, text: str) -> None:
    async with caller.session.post(caller.served.url + POOLS, data=text) as answer:
        told = await answer.json()
    assert (answer.status, told["errors"][0]["code"]) == (400, 6007)


async def test_a_body_that_is_no_object_is_refused(caller: Caller) -> None:
    status, told = await caller("POST", POOLS, ["name"])
    assert (status, told["errors"][0]["code"]) == (400, 1002)


async def test_past_the_rate_everything_is_refused_with_retry_after(caller: Caller) -> None:
    for _ in range(40):
        assert (await caller("GET", POOLS))[0] == 200
    async with caller.session.get(caller.served.url + POOLS) as answer:
        assert (answer.status, answer.headers["retry-after"]) == (429, "300")
        assert (await answer.json())["success"] is False
    pool = {"name": "gpu-1", "origins": ENDPOINTS}
    assert (await caller("POST", POOLS, pool))[0] == 429
    assert caller.store.pools == {}


async def test_a_patch_is_quick_by_default(caller: Caller) -> None:
    pool = await caller.pool()
    took = []
    for turn in range(20):
        begun = time.perf_counter()
        await caller("PATCH", pool, {"enabled": bool(turn % 2)})
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.05


async def test_latency_delays_the_write_too(caller: Caller) -> None:
    pool = await caller.pool()
    caller.fault("latency", seconds=0.15, method="PATCH")
    begun = time.monotonic()
    await caller("PATCH", pool, {"enabled": False})
    assert time.monotonic() - begun >= 0.15
    assert caller.store.writes[-1].time - caller.store.writes[-2].time >= 0.15


async def test_latency_can_be_the_default() -> None:
    store = Store()
    async with started(store, Settings(latency_s=0.1)) as served, client() as session:
        caller = Caller(store, served, session)
        begun = time.monotonic()
        await caller("GET", POOLS)
    assert time.monotonic() - begun >= 0.1


@pytest.mark.parametrize(
    ("status", "kind"), [(403, "application/json"), (500, "text/html"), (502, "text/html")]
)
async def test_a_status_stands_in_front_of_the_api(caller: Caller, status: int, kind: str) -> None:
    pool = await caller.pool()
    caller.fault("status", status=status, path="/pools/", count=1)
    async with caller.session.patch(caller.served.url + pool, json={"enabled": False}) as answer:
        assert (answer.status, answer.content_type) == (status, kind)
    assert caller.enabled() == [True]
    assert (await caller("PATCH", pool, {"enabled": False}))[0] == 200


async def test_garbage_is_no_json(caller: Caller) -> None:
    caller.fault("garbage", count=1)
    with pytest.raises(ValueError, match=r"."):
        await caller("GET", POOLS)
    caller.fault("garbage", body="")
    async with caller.session.get(caller.served.url + POOLS) as answer:
        assert (answer.status, await answer.text()) == (200, "")


async def test_a_reset_tears_the_connection_down(caller: Caller) -> None:
    pool = await caller.pool()
    caller.fault("reset", count=1, method="PATCH")
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await caller("PATCH", pool, {"enabled": False})
    assert caller.enabled() == [True]


async def test_a_hang_never_answers_and_applies_nothing(caller: Caller) -> None:
    pool = await caller.pool()
    caller.fault("hang", method="PATCH")
    with pytest.raises(asyncio.TimeoutError):
        await caller("PATCH", pool, {"enabled": False}, timeout=aiohttp.ClientTimeout(total=0.2))
    assert caller.enabled() == [True]
    assert caller.served.gateway.requests[-1].status is None
    assert (await caller("GET", POOLS))[0] == 200


@pytest.mark.parametrize("answer", ["hang", "504"])
async def test_a_late_write_is_applied_although_the_caller_was_told_nothing_good(
    caller: Caller, answer: Any
) -> None:
    pool = await caller.pool()
    caller.fault("late", seconds=0.3, answer=answer)
    told: int | None = None
    try:
        async with caller.session.patch(
            caller.served.url + pool, json={"enabled": False}, timeout=aiohttp.ClientTimeout(total=0.1)
        ) as response:
            told = response.status
    except TimeoutError:
        pass
    assert told == (504 if answer == "504" else None)
    assert caller.enabled() == [True]
    await until(lambda: caller.enabled() == [False])
    assert [write.method for write in caller.store.writes] == ["POST", "PATCH"]


async def test_a_late_write_can_be_answered_when_it_is_applied(caller: Caller) -> None:
    pool = await caller.pool()
    caller.fault("late", seconds=0.1)
    status, told = await caller("PATCH", pool, {"enabled": False})
    assert (status, told["result"]["enabled"]) == (200, False)
    assert (await caller("PATCH", pool, {"surprise": 1}))[0] == 400


async def test_stale_reads_show_the_past(api: Any) -> None:
    async with started(api.store, Settings()) as served, client() as session:
        caller = Caller(api.store, served, session)
        pool = await caller.pool()
        api.clock.time += 10
        await caller("PATCH", pool, {"enabled": False})
        api.clock.time += 1
        caller.fault("stale", seconds=5, count=2)
        assert (await caller("GET", pool))[1]["result"]["enabled"] is True
        assert [p["enabled"] for p in (await caller("GET", POOLS))[1]["result"]] == [True]
        assert (await caller("GET", pool))[1]["result"]["enabled"] is False


async def test_a_fault_can_be_for_one_token(caller: Caller) -> None:
    caller.store.add_token("other", [READ])
    caller.fault("status", status=500, token=caller.token)
    async with caller.session.get(
        caller.served.url + POOLS, headers={"Authorization": "Bearer other"}
    ) as answer:
        assert answer.status == 200
    async with caller.session.get(caller.served.url + POOLS) as answer:
        assert answer.status == 500


async def test_every_request_is_listed_with_its_outcome(caller: Caller) -> None:
    await caller("GET", POOLS)
    await caller("GET", "/nowhere")
    seen = [(request.path, request.status, request.token) for request in caller.served.gateway.requests]
    assert seen == [(POOLS, 200, caller.token), ("/nowhere", 404, caller.token)]
