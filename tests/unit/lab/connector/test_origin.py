import asyncio

import aiohttp
import pytest
from tests.support.edge_lab import HOST, configure, until


async def rules(store, connected, *each):
    version = connected.configuration.version + 1
    configure(store, [*each, {"service": "http_status:404"}], version)
    await until(lambda: connected.configuration.version == version)


async def test_request_and_answer_pass_whole(users, origin, connected):
    async with users.post("/echo?a=%20b", data=b"hello", headers={"X-A": "1"}) as answer:
        assert (answer.status, await answer.read()) == (200, b"hello")
    method, path, headers = origin.seen[-1]
    assert (method, path, headers["X-A"], headers["Host"]) == ("POST", "/echo?a=%20b", "1", HOST)
    assert headers["Content-Length"] == "5"
    assert connected.metrics.response_by_code == {200: 1}


async def test_nothing_is_added_that_the_user_did_not_say(users, origin, connected):
    async with users.get("/", skip_auto_headers=["User-Agent", "Accept", "Accept-Encoding"]) as answer:
        assert answer.status == 200
    assert not {"User-Agent", "Accept", "Content-Type", "Transfer-Encoding"} & set(origin.seen[-1][2])


async def test_a_host_header_of_the_rule_replaces_the_users(users, origin, store, connected):
    await rules(
        store, connected, {"hostname": HOST, "service": origin.url, "originRequest": {"httpHostHeader": "x"}}
    )
    async with users.get("/"):
        pass
    assert (origin.seen[-1][2]["Host"], origin.seen[-1][2]["X-Forwarded-Host"]) == ("x", HOST)


async def test_a_status_rule_answers_here(users, origin, store, connected):
    await rules(store, connected, {"hostname": HOST, "path": "ready", "service": "http_status:204"})
    async with users.post("/ready", data=b"x" * 100_000) as answer:
        assert answer.status == 204
    assert (origin.seen, connected.metrics.response_by_code) == ([], {204: 1})
    await until(lambda: connected.metrics.concurrent_requests == 0)


async def test_the_gauge_follows_requests_in_flight(users, origin, connected):
    async with asyncio.TaskGroup() as group:

        async def one():
            async with users.get("/hang") as answer:
                return await answer.text()

        asked = [group.create_task(one()) for _ in range(5)]
        await until(lambda: origin.open == 5)
        assert (connected.metrics.concurrent_requests, connected.metrics.total_requests) == (5, 5)
        origin.go_on.set()
    assert {one.result() for one in asked} == {"late"}
    assert (connected.metrics.concurrent_requests, connected.metrics.request_errors) == (0, 0)


async def test_an_origin_that_refuses_is_502_and_an_error(users, store, connected):
    await rules(store, connected, {"hostname": HOST, "service": "http://127.0.0.1:1"})
    async with users.post("/", data=b"x") as answer:
        assert (answer.status, await answer.read()) == (502, b"")
    assert connected.metrics.request_errors == 1
    assert connected.metrics.response_by_code == {}


async def test_an_origin_that_breaks_off_resets_the_stream(users, connected):
    async with users.get("/break") as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert connected.metrics.request_errors == 1


async def test_a_redirect_is_the_users_to_follow(users, origin, connected):
    origin.status = 302
    async with users.get("/", allow_redirects=False) as answer:
        assert answer.status == 302
    assert len(origin.seen) == 1
