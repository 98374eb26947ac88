"""The client against the API stand-in and against servers that misbehave."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from inferagent.adapters.clock import BootClock
from inferagent.adapters.cloudflare.budget import Budget
from inferagent.adapters.cloudflare.client import NO_TLS, ApiError, Call, Client
from inferagent.lab.cloudflare.faults import Fault
from inferagent.lab.cloudflare.server import PERMISSIONS, Served, serve
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.cloudflare.store import ACCOUNT_ID, ZONE_ID, Store
from inferagent.ports import PortError

TOKEN = "the-secret-of-the-lab"
POOLS = f"/accounts/{ACCOUNT_ID}/load_balancers/pools"
READ = Call("read the pools", "GET", POOLS, deadline=5.0)


class Hurried:
    """A clock whose sleeps are jumps."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def boot(self) -> str:
        return "one"

    def wall(self) -> str:
        return ""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)


class Rig:
    def __init__(self, store: Store, served: Served, clock: Hurried, budget: Budget) -> None:
        self.store = store
        self.served = served
        self.clock = clock
        self.budget = budget

    def client(self, **changes: object) -> Client:
        options = {"clock": self.clock, "random": lambda: 0.5, "budget": self.budget, "attempt": 0.3}
        return Client(self.served.url, TOKEN, **(options | changes))

    def seen(self) -> int:
        return len(self.served.gateway.requests)


@asynccontextmanager
async def rigged(settings: Settings | None = None) -> AsyncIterator[Rig]:
    store = Store()
    store.add_token(TOKEN, PERMISSIONS)
    async with serve(store, settings) as served:
        yield Rig(store, served, Hurried(), Budget(60))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with rigged() as found:
        yield found


async def failing(client: Client, call: Call) -> PortError:
    with pytest.raises(PortError) as caught:
        await client.call(call)
    await client.close()
    return caught.value


async def test_a_result(rig: Rig) -> None:
    client = rig.client()
    assert await client.call(READ) == []
    await client.close()


async def test_connections_are_kept_warm(rig: Rig) -> None:
    seen = set()

    class Watched(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            seen.add(response.extensions["network_stream"].get_extra_info("socket").getsockname())
            return response

    client = rig.client(transport=Watched(limits=httpx.Limits(keepalive_expiry=120)))
    for _ in range(4):
        await client.call(READ)
    await client.close()
    assert len(seen) == 1


async def test_a_refusal_is_final_and_says_code_and_message(rig: Rig) -> None:
    error = await failing(rig.client(), Call("read the pool", "GET", f"{POOLS}/nothing"))
    assert isinstance(error, ApiError)
    assert str(error) == "cannot read the pool: 1001 pool not found (HTTP 404)"
    assert (error.refused, error.status, error.code) == (True, 404, 1001)
    assert rig.seen() == 1


@pytest.mark.parametrize("kind", ["status", "garbage", "reset", "hang"])
async def test_an_ill_answer_is_tried_again(rig: Rig, kind: str) -> None:
    rig.served.faults.add(Fault(kind=kind, count=1))
    client = rig.client()
    assert await client.call(READ) == []
    await client.close()
    assert rig.seen() == 2
    assert rig.clock.slept


async def test_retries_end_with_the_deadline_and_grow(rig: Rig) -> None:
    rig.served.faults.add(Fault(kind="status", status=503))
    began = rig.clock.at
    error = await failing(rig.client(), READ)
    assert "HTTP 503" in str(error)
    assert not error.refused
    assert rig.clock.at - began <= READ.deadline
    assert rig.clock.slept == sorted(rig.clock.slept)
    assert len(rig.clock.slept) >= 3


async def test_a_server_that_never_answers_costs_the_deadline_and_no_more(rig: Rig) -> None:
    rig.served.faults.add(Fault(kind="hang"))
    began = time.monotonic()
    client = rig.client(attempt=5.0, clock=BootClock())
    error = await failing(client, Call("read the pools", "GET", POOLS, deadline=0.2))
    assert time.monotonic() - began < 4.5
    assert str(error) == "cannot read the pools: no answer within 0.2 s"
    assert not error.refused


async def test_a_port_that_hangs_before_http(unused_tcp_port: int, rig: Rig) -> None:
    leave = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await leave.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", unused_tcp_port)
    client = Client(f"http://127.0.0.1:{unused_tcp_port}", TOKEN, clock=rig.clock, random=lambda: 0.5)
    error = await failing(client, Call("read the pools", "GET", POOLS, deadline=0.2))
    assert "no answer" in str(error)
    leave.set()
    server.close()
    await server.wait_closed()


async def test_cancelled_in_the_middle_it_stops(rig: Rig) -> None:
    rig.served.faults.add(Fault(kind="hang"))
    client = rig.client(attempt=60.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.call(READ)
    await client.close()


async def test_a_refused_connection_is_no_answer(unused_tcp_port: int, rig: Rig) -> None:
    client = Client(f"http://127.0.0.1:{unused_tcp_port}", TOKEN, clock=rig.clock, random=lambda: 0.5)
    error = await failing(client, Call("read the pools", "GET", POOLS, deadline=1.0))
    assert "cannot connect" in str(error)
    assert not error.refused


async def test_a_fresh_token_may_be_refused_for_a_while(rig: Rig) -> None:
    refusal = '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"result":null}'
    rig.served.faults.add(Fault(kind="status", status=403, body=refusal, count=3))
    client = rig.client()
    assert await client.call(READ) == []
    rig.served.faults.add(Fault(kind="status", status=403, body=refusal, count=1))
    error = await failing(client, READ)
    assert error.refused
    assert rig.seen() == 5


async def test_a_creation_that_may_be_done_is_not_sent_twice(rig: Rig) -> None:
    rig.served.faults.add(Fault(kind="status", status=504, count=1))
    body = {"name": "one", "config_src": "cloudflare"}
    error = await failing(rig.client(), Call("make it", "POST", f"/accounts/{ACCOUNT_ID}/cfd_tunnel", body))
    assert not error.refused
    assert rig.seen() == 1


async def test_a_429_blocks_locally(rig: Rig) -> None:
    async with rigged(Settings(rate_limit=2)) as small:
        client = small.client()
        await client.call(READ)
        await client.call(READ)
        with pytest.raises(ApiError) as caught:
            await client.call(READ)
        assert caught.value.retry_after == pytest.approx(300, abs=1)
        assert not caught.value.refused
        error = await failing(client, READ)
        assert small.seen() == 3
        assert error.retry_after == pytest.approx(300, abs=1)


async def test_reading_does_not_wait_for_the_end_of_a_block(rig: Rig) -> None:
    rig.served.faults.add(Fault(kind="status", status=429, count=1))
    error = await failing(rig.client(), Call("read the pools", "GET", POOLS, deadline=1000))
    assert error.retry_after == pytest.approx(300)
    assert rig.seen() == 1


async def test_a_leaving_call_waits_for_the_end_of_the_block() -> None:
    async with rigged() as small:
        refusal = '{"success":false,"errors":[{"code":971,"message":"too many"}],"result":null}'
        small.served.faults.add(Fault(kind="status", status=429, body=refusal, count=1))
        client = small.client()
        began = small.clock.at
        assert await client.call(Call("leave", "GET", POOLS, leaving=True, deadline=400)) == []
        await client.close()
        assert small.clock.at - began == pytest.approx(300)
        assert small.seen() == 2


async def test_a_leaving_call_does_not_outwait_its_deadline(rig: Rig) -> None:
    rig.budget.block(rig.clock.at, 300)
    error = await failing(rig.client(), Call("leave", "GET", POOLS, leaving=True, deadline=10))
    assert error.retry_after == pytest.approx(300)
    assert rig.seen() == 0


async def test_a_spent_share_refuses_reading_and_still_leaves(rig: Rig) -> None:
    budget = Budget(5)
    client = rig.client(budget=budget)
    await client.call(READ)
    await client.call(READ)
    with pytest.raises(PortError, match="share of calls"):
        await client.call(READ)
    await client.call(Call("leave", "GET", POOLS, leaving=True))
    await client.call(Call("leave", "GET", POOLS, leaving=True))
    await client.close()
    assert rig.seen() == 4


async def test_every_page_is_read(rig: Rig) -> None:
    client = rig.client(budget=Budget(1000))
    path = f"/zones/{ZONE_ID}/dns_records"
    for number in range(53):
        body = {"type": "TXT", "name": f"n{number}", "ttl": 1, "content": "x"}
        await client.call(Call("make a record", "POST", path, body))
    found = await client.pages(Call("read the records", "GET", path))
    assert len({record["name"] for record in found}) == 53
    assert await client.pages(READ) == []
    await client.close()


async def test_the_token_is_nowhere_to_be_seen(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    rig.served.faults.add(Fault(kind="status", status=401, count=1))
    client = rig.client()
    error = await failing(client, READ)
    assert TOKEN not in f"{error!r} {error} {client!r} {vars(client)!r}"
    assert TOKEN not in caplog.text


def test_where_no_tls_is_meant_no_authority_is_trusted() -> None:
    assert NO_TLS.verify_mode is ssl.CERT_REQUIRED
    assert NO_TLS.check_hostname
    assert NO_TLS.get_ca_certs() == []


@pytest.mark.parametrize("token", ["abc\nhunter2", "abc hunter2", "abc\x01hunter2", "\ufeffhunter2", ""])
def test_a_token_that_no_header_takes_is_refused_unrepeated(rig: Rig, token: str) -> None:
    with pytest.raises(PortError, match="cannot use the API token") as caught:
        Client(rig.served.url, token, clock=rig.clock, random=lambda: 0.5)
    assert "hunter2" not in f"{caught.value!r}"
    assert caught.value.refused


async def test_calls_cancelled_at_any_moment_leave_room_for_the_next(rig: Rig) -> None:
    """A cancelled connection is not always given back by the library: a bound on them would be used up."""
    client = rig.client(budget=Budget(10_000))
    for _ in range(10):
        for passes in range(8, 14):
            task = asyncio.ensure_future(client.call(READ))
            for _ in range(passes):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
    async with asyncio.timeout(3):
        assert await client.call(READ) == []
    await client.close()
