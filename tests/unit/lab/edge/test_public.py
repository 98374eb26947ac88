import asyncio
import io

import aiohttp
import pytest
from tests.support.edge_lab import (
    HOST,
    PUBLIC,
    TUNNEL,
    Origin,
    add_balancer,
    add_pool,
    add_tunnel,
    configure,
    inside,
    until,
)

from inferagent.lab.edge.server import serve_edge
from inferagent.lab.edge.settings import EdgeSettings

OTHER = "99999999-2222-3333-4444-555555555555"


async def text_of(users, path="/", **more):
    async with users.get(path, **more) as answer:
        return answer.status, await answer.text()


async def test_a_request_goes_through_and_is_counted(edge, users, connected):
    async with users.get("/v1") as answer:
        assert (answer.status, (await answer.json())["host"]) == (200, HOST)
    assert edge.counters.requests == {"pool-a": 1}
    assert edge.counters.statuses == {"200": 1}
    assert edge.counters.open["pool-a"] == 0
    assert edge.counters.last["pool-a"] > 0


async def test_dead_tunnel_unknown_name_and_no_origin(edge, users, store):
    assert await text_of(users) == (530, "error code: 1033\n")
    assert await text_of(users, headers={"Host": "nobody.example.com"}) == (409, "error code: 1001\n")
    store.put("pool", "pool-a", store.pools["pool-a"] | {"enabled": False})
    assert await text_of(users) == (530, "error code: 1016\n")
    assert edge.counters.causes == {"1033": 1, "1001": 1, "1016": 1}
    assert edge.counters.requests == {}


async def test_a_hosts_own_hostname_goes_straight_to_its_tunnel(edge, users, store, connected):
    record = {
        "id": "r",
        "type": "CNAME",
        "name": HOST,
        "content": f"{TUNNEL}.cfargotunnel.com",
        "proxied": True,
    }
    store.put("dns_record", "r", record)
    store.put("pool", "pool-a", store.pools["pool-a"] | {"enabled": False})
    status, _ = await text_of(users, headers={"Host": f"{HOST}:8443"})
    assert (status, edge.counters.requests) == (200, {"direct": 1})


async def test_an_open_stream_outlives_its_pool(edge, users, store, origin, connected):
    async with users.get("/events?n=10&wait=1") as answer:
        await answer.content.readuntil(b"data: 4\n\n")
        store.put("pool", "pool-a", store.pools["pool-a"] | {"enabled": False})
        assert (await text_of(users))[0] == 530
        origin.go_on.set()
        assert (await answer.content.read()).count(b"data:") == 5


async def test_headers_come_back_as_the_origin_gave_them(users, connected):
    async with users.get("/bytes?n=5") as answer:
        assert (answer.headers["Content-Length"], await answer.read()) == ("5", bytes(5))
    async with users.head("/bytes?n=5") as answer:
        assert answer.headers["Content-Length"] == "5"


async def test_a_large_upload_and_a_small_one(users, connected):
    for size in (10, 3_000_000):
        async with users.post("/size", data=io.BytesIO(b"x" * size)) as answer:
            assert await answer.text() == str(size)


async def test_silence_is_524_before_the_head_and_a_cut_after_it(store, tmp_path):
    settings = EdgeSettings(lag=(0, 0), cache_s=0, silence_s=0.2)
    async with serve_edge(store, settings, tmp_path) as edge, inside(edge, store):
        base = f"http://127.0.0.1:{edge.public_port}"
        async with aiohttp.ClientSession(base, headers={"Host": PUBLIC}) as users:
            assert await text_of(users, "/hang") == (524, "error code: 524\n")
            async with users.get("/events?n=10&wait=1") as answer:
                with pytest.raises(aiohttp.ClientPayloadError):
                    await answer.read()
            async with users.get("/events?n=12&every=0.05") as answer:
                assert (await answer.read()).count(b"data:") == 12
        assert edge.counters.causes == {"524": 1, "cut": 1}


async def test_a_connector_that_dies_under_a_request_is_a_502_or_a_cut(edge, users, store, origin, connected):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(text_of(users, "/hang"))
        await until(lambda: origin.open == 1)
        await edge.command({"do": "cut", "tunnel": TUNNEL})
    assert asked.result()[0] == 502
    await until(lambda: store.connections[TUNNEL])
    async with users.get("/events?n=10&wait=1") as answer:
        await answer.content.readuntil(b"data: 4\n\n")
        await edge.command({"do": "cut", "tunnel": TUNNEL})
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


async def test_a_client_that_leaves_before_the_answer_ends_the_origins_request(
    edge, users, origin, connected
):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(text_of(users, "/hang"))
        await until(lambda: origin.open == 1)
        asked.cancel()
    await until(lambda: origin.aborted == 1)
    await until(lambda: edge.counters.open["pool-a"] == 0)
    assert edge.counters.causes == {"client_abort": 1}
    await until(lambda: connected.metrics.concurrent_requests == 0)


async def two_pools(store, origin, **more):
    add_tunnel(store, OTHER, HOST, origin.url)
    add_pool(store, "pool-b", OTHER)
    add_balancer(store, ["pool-a", "pool-b"], **more)


@pytest.mark.parametrize(
    ("status", "across", "expected"),
    [
        (522, True, 200),
        (525, True, 200),
        (522, False, 522),
        (520, True, 520),
        (524, True, 524),
        (530, True, 530),
    ],
)
async def test_one_retry_on_some_statuses_and_across_pools_only_if_told(
    edge, users, store, connected, status, across, expected
):
    async with Origin() as second:
        await two_pools(store, second, adaptive_routing={"failover_across_pools": across})
        async with inside(edge, store, OTHER):
            await edge.command({"do": "fault", "pool": "pool-a", "status": status})
            async with users.post("/v1", data=b"{}") as answer:
                assert answer.status == expected
            assert len(second.seen) == (expected == 200)
            assert edge.counters.causes["retried"] == (expected == 200)


async def test_a_retry_is_made_once(edge, users, store, connected):
    async with Origin() as second:
        await two_pools(store, second, adaptive_routing={"failover_across_pools": True})
        for pool in ("pool-a", "pool-b"):
            await edge.command({"do": "fault", "pool": pool, "status": 521})
        async with users.get("/v1") as answer:
            assert answer.status == 521
        assert edge.counters.causes["retried"] == 1


async def test_a_status_of_the_origin_is_retried_with_its_body(edge, users, store, origin, connected):
    async with Origin() as second:
        await two_pools(store, second, adaptive_routing={"failover_across_pools": True})
        origin.status = 523
        async with inside(edge, store, OTHER), users.post("/v1", data=b"{}") as answer:
            assert answer.status == 200
        assert (len(origin.seen), len(second.seen)) == (1, 1)


async def test_a_502_and_a_dead_tunnel_are_returned_as_they_are(edge, users, store, connected):
    async with Origin() as second:
        await two_pools(store, second, adaptive_routing={"failover_across_pools": True})
        async with inside(edge, store, OTHER):
            configure(store, [{"service": "http://127.0.0.1:1"}], 2)
            await until(lambda: connected.configuration.version == 2)
            assert (await text_of(users))[0] == 502
            await edge.command({"do": "dead", "tunnel": TUNNEL, "dead": True})
            assert await text_of(users) == (530, "error code: 1033\n")
        assert second.seen == []
