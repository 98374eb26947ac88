"""One contract: the stand-in connector, and the real cloudflared where INFERAGENT_CLOUDFLARED is set."""

import asyncio
import io
import json
import os
import signal
import time

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
    until,
)

from inferagent.lab.edge.server import serve_edge
from inferagent.lab.edge.settings import EdgeSettings

REAL = os.environ.get("INFERAGENT_CLOUDFLARED", "")
AT_ONCE = EdgeSettings(lag=(0, 0), cache_s=0)
QUICK = {"TUNNEL_RETRIES": "1"}


@pytest.fixture(
    params=[
        pytest.param(STAND_IN, id="stand-in"),
        pytest.param(
            [REAL],
            id="cloudflared",
            marks=pytest.mark.skipif(
                not REAL, reason="INFERAGENT_CLOUDFLARED is not set: the real cloudflared is not tried"
            ),
        ),
    ]
)
def command(request):
    return request.param


@pytest.fixture
async def origin():
    async with Origin() as running:
        yield running


@pytest.fixture
async def store(origin):
    account = fresh_account(origin.url)
    add_pool(account, "pool-a")
    add_balancer(account, ["pool-a"])
    return account


@pytest.fixture
async def edge(store, tmp_path):
    async with serve_edge(store, AT_ONCE, tmp_path) as running:
        yield running


@pytest.fixture
async def users(edge):
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{edge.public_port}",
        headers={"Host": PUBLIC},
        connector=aiohttp.TCPConnector(limit=0),
    ) as session:
        yield session


async def test_connects_serves_and_counts(command, edge, store, users, origin, tmp_path):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(2)
        assert len(store.connections[TUNNEL]) == 2
        async with users.get("/v1/models?x=1", headers={"User-Agent": "me"}) as answer:
            assert answer.status == 200
            assert await answer.json() == {"path": "/v1/models?x=1", "host": HOST}
        seen = origin.seen[-1][2]
        assert (seen["User-Agent"], seen["Cf-Connecting-Ip"]) == ("me", "127.0.0.1")
        async with users.post("/size", data=io.BytesIO(b"x" * 3_000_000)) as answer:
            assert await answer.text() == "3000000"
        async with users.get("/bytes?n=5000000") as answer:
            assert len(await answer.read()) == 5_000_000
        await until_metric(connector, "cloudflared_tunnel_concurrent_requests_per_tunnel", 0)
        assert await connector.metric("cloudflared_tunnel_total_requests") == 3
        assert await connector.metric("cloudflared_tunnel_ha_connections") == 2
        assert await connector.metric('cloudflared_tunnel_response_by_code{status_code="200"}') == 3
        assert await connector.metric("cloudflared_orchestration_config_version") == 1
        assert (await connector.get("/healthcheck"))[1].strip() == "OK"
        diag = json.loads((await connector.get("/diag/tunnel"))[1])
        assert diag["tunnelID"] == TUNNEL
        assert len(diag["connections"]) == 2


async def test_many_streams_at_once_arrive_piece_by_piece(command, edge, store, users, origin, tmp_path):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)

        async def one():
            async with users.get("/events?n=10&wait=1") as answer:
                first = await answer.content.readuntil(b"data: 4\n\n")
                return first.count(b"data:"), (await answer.content.read()).count(b"data:")

        async with asyncio.TaskGroup() as group:
            clients = [group.create_task(one()) for _ in range(64)]
            await until(lambda: origin.open == 64, what="64 open streams")
            await until_metric(connector, "cloudflared_tunnel_concurrent_requests_per_tunnel", 64)
            origin.go_on.set()
        assert {client.result() for client in clients} == {(5, 5)}


async def test_an_upload_is_not_held_back(command, edge, store, users, tmp_path):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        more = asyncio.Event()

        async def upload():
            yield b"first"
            await more.wait()
            yield b"second"

        async with users.post("/echo", data=upload()) as answer:
            assert await answer.content.readexactly(5) == b"first"
            more.set()
            assert await answer.content.read() == b"second"


async def test_a_client_that_leaves_ends_the_origins_request(command, edge, store, users, origin, tmp_path):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        async with users.get("/events?n=10&wait=1") as answer:
            await answer.content.readuntil(b"data: 4\n\n")
            answer.close()
        await until(lambda: origin.aborted == 1, what="the origin's abort")
        await until_metric(connector, "cloudflared_tunnel_concurrent_requests_per_tunnel", 0)


async def test_an_origin_that_breaks_off_breaks_off_for_the_client(command, edge, store, users, tmp_path):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        async with users.get("/break") as answer:
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
        assert edge.counters.causes["cut"] == 1


async def test_an_origin_that_refuses_is_a_502_by_the_connector(
    command, edge, store, users, origin, tmp_path
):
    await origin.runner.cleanup()
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        async with users.get("/x") as answer:
            assert (answer.status, await answer.read()) == (502, b"")
        assert (await connector.ready())[0] == 200
        assert await connector.metric("cloudflared_tunnel_request_errors") == 1


async def test_rules_match_host_and_path_in_order(command, edge, store, users, origin, tmp_path):
    rules = [
        {"hostname": HOST, "path": r"^/\.inferagent/ready$", "service": "http_status:204"},
        {"hostname": HOST, "path": "secret", "service": "http_status:403"},
        {"hostname": HOST, "service": origin.url, "originRequest": {"httpHostHeader": "localhost"}},
        {"service": "http_status:404"},
    ]
    configure(store, rules, 7)
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        await until_metric(connector, "cloudflared_orchestration_config_version", 7)
        got = {}
        for path in ("/.inferagent/ready", "/.inferagent/ready?q", "/x/secre%74s", "/v1/models"):
            async with users.get(path) as answer:
                got[path] = answer.status
        assert got == {
            "/.inferagent/ready": 204,
            "/.inferagent/ready?q": 204,
            "/x/secre%74s": 403,
            "/v1/models": 200,
        }
        assert (origin.seen[-1][2]["Host"], origin.seen[-1][2]["X-Forwarded-Host"]) == ("localhost", HOST)
        async with users.get("/x", headers={"Host": "other.example.com"}) as answer:
            assert answer.status == 409


@pytest.mark.parametrize("service", ["http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1", "127.0.0.1"])
async def test_a_bad_push_is_refused_whole(command, edge, store, users, tmp_path, service):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        await until_metric(connector, "cloudflared_orchestration_config_version", 1)
        before = (await connector.get("/config"))[1]
        configure(store, [{"hostname": HOST, "service": service}, {"service": "http_status:404"}], 2)
        connection = edge.tunnels.connections(TUNNEL)[0]
        await until(lambda: connection.config_answer.get("err") is not None, what="the refusal")
        assert connection.config_answer["lastAppliedVersion"] == 1
        assert (await connector.get("/config"))[1] == before
        async with users.get("/v1/models") as answer:
            assert answer.status == 200


async def test_a_new_configuration_is_taken(command, edge, store, users, tmp_path):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        configure(store, [{"service": "http_status:418"}], 2)
        await until_metric(connector, "cloudflared_orchestration_config_version", 2)
        shown = json.loads((await connector.get("/config"))[1])
        assert (shown["version"], shown["config"]["ingress"][0]["service"]) == (2, "http_status:418")
        async with users.get("/") as answer:
            assert answer.status == 418


async def test_without_a_configuration_ready_and_yet_503(command, edge, store, users, tmp_path):
    store.remove("tunnel_configuration", TUNNEL)
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        assert json.loads((await connector.get("/config"))[1])["version"] == -1
        async with users.get("/") as answer:
            assert answer.status == 503


async def test_an_idle_connector_stops_at_once(command, edge, store, users, tmp_path):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(2)
        connector.process.terminate()
        began = time.monotonic()
        assert await asyncio.wait_for(connector.process.wait(), 5) == 0
        assert time.monotonic() - began < 3
        async with users.get("/") as answer:
            assert (answer.status, await answer.text()) == (530, "error code: 1033\n")


async def test_a_stop_lets_streams_finish(command, edge, store, users, origin, tmp_path):
    async with started(command, edge, store, tmp_path, TUNNEL_GRACE_PERIOD="20s") as connector:
        await connector.until_ready(2)
        async with users.get("/events?n=10&wait=1") as answer:
            await answer.content.readuntil(b"data: 4\n\n")
            connector.process.terminate()
            await until_ready_is(connector, (503, 0), within=1.0)
            await until(lambda: not store.connections[TUNNEL], what="both unregistered")
            async with users.get("/") as other:
                assert other.status == 530
            origin.go_on.set()
            assert (await answer.content.read()).count(b"data:") == 5
        assert await asyncio.wait_for(connector.process.wait(), 5) == 0


async def test_streams_longer_than_the_grace_period_are_cut(command, edge, store, users, tmp_path):
    async with started(command, edge, store, tmp_path, TUNNEL_GRACE_PERIOD="1s") as connector:
        await connector.until_ready(1)
        async with users.get("/events?n=10&wait=1") as answer:
            await answer.content.readuntil(b"data: 4\n\n")
            connector.process.terminate()
            assert await asyncio.wait_for(connector.process.wait(), 10) == 0
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.content.read()


async def test_a_second_signal_kills(command, edge, store, users, tmp_path):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        async with users.get("/events?n=10&wait=1") as answer:
            await answer.content.readuntil(b"data: 4\n\n")
            connector.process.terminate()
            await until_ready_is(connector, (503, 0), within=1.0)
            connector.process.terminate()
            assert await asyncio.wait_for(connector.process.wait(), 2) == -signal.SIGTERM


async def test_comes_back_after_its_connections_were_cut(command, edge, store, users, tmp_path):
    async with started(command, edge, store, tmp_path, **QUICK) as connector:
        await connector.until_ready(1)
        await edge.command({"do": "cut", "tunnel": TUNNEL})
        await until_ready_is(connector, (503, 0), within=2.0)
        await connector.until_ready(1, seconds=30)
        async with users.get("/") as answer:
            assert answer.status == 200


async def test_comes_back_after_the_edge_was_away(command, edge, store, users, tmp_path):
    async with started(command, edge, store, tmp_path, **QUICK) as connector:
        await connector.until_ready(1)
        await edge.command({"do": "edge", "state": "refuse"})
        await until_ready_is(connector, (503, 0), within=2.0)
        assert await connector.metric("cloudflared_tunnel_ha_connections") is not None
        async with users.get("/") as answer:
            assert answer.status == 530
        await edge.command({"do": "edge", "state": "up"})
        await connector.until_ready(1, seconds=40)


async def test_a_wrong_secret_is_tried_for_ever(command, edge, store, tmp_path):
    right = store.tunnel_token(TUNNEL)
    other = fresh_account().tunnel_token(TUNNEL)
    assert right != other
    async with started(command, edge, store, tmp_path, token_text=other, **QUICK) as connector:
        await until(lambda: sum(edge.counters.refused.values()) >= 2, 20, "a second try")
        assert await connector.ready() == (503, 0)
        assert connector.process.returncode is None
        assert "Unauthorized: Invalid tunnel secret" in connector.log.read_text()

        async def failed():
            _, text = await connector.get("/metrics")
            return 'cloudflared_tunnel_tunnel_register_fail{error="server_error"' in text

        await until(failed, what="the failure in the metrics")


async def test_a_frozen_connector_is_dropped_and_comes_back(command, store, tmp_path):
    settings = EdgeSettings(lag=(0, 0), ping_s=0.2, dead_s=0.5)
    async with (
        serve_edge(store, settings, tmp_path) as edge,
        started(command, edge, store, tmp_path, **QUICK) as connector,
    ):
        await connector.until_ready(1)
        connector.process.send_signal(signal.SIGSTOP)
        try:
            await until(lambda: not store.connections[TUNNEL], 5, "the drop")
        finally:
            connector.process.send_signal(signal.SIGCONT)
        await connector.until_ready(1, seconds=40)


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"TUNNEL_TOKEN_FILE": "/nonexistent"}, 255),
        ({"TUNNEL_GRACE_PERIOD": "4m"}, 1),
        ({"TUNNEL_EDGE": "nobody.invalid:7844", "LAB_DNS": "127.0.0.1:1"}, 1),
    ],
)
async def test_exit_codes_of_bad_starts(command, edge, store, tmp_path, environment, code):
    async with started(command, edge, store, tmp_path, **environment) as connector:
        assert await asyncio.wait_for(connector.process.wait(), 10) == code


async def test_a_token_that_is_none_ends_with_255(command, edge, store, tmp_path):
    async with started(command, edge, store, tmp_path, token_text="nonsense") as connector:
        assert await asyncio.wait_for(connector.process.wait(), 10) == 255


async def test_a_taken_metrics_port_ends_with_1(command, edge, store, origin, tmp_path):
    taken = f"127.0.0.1:{origin.port}"
    async with started(command, edge, store, tmp_path, TUNNEL_METRICS=taken) as connector:
        assert await asyncio.wait_for(connector.process.wait(), 10) == 1


async def test_an_unknown_flag_ends_with_0(command):
    process = await asyncio.create_subprocess_exec(
        *command,
        "tunnel",
        "--no-such-flag",
        "run",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_version(command):
    process = await asyncio.create_subprocess_exec(
        *command, "version", "--short", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 10)
    year, month, *_ = out.decode().split(".")
    assert (process.returncode, int(year) >= 2026, 1 <= int(month) <= 12) == (0, True, True)


async def test_ready_as_a_command(command, edge, store, tmp_path):
    async with started(command, edge, store, tmp_path) as connector:
        await connector.until_ready(1)
        codes = []
        for base in (connector.base, "http://127.0.0.1:1"):
            process = await asyncio.create_subprocess_exec(
                *command,
                "tunnel",
                "--metrics",
                base.removeprefix("http://"),
                "ready",
                stderr=asyncio.subprocess.DEVNULL,
            )
            codes.append(await asyncio.wait_for(process.wait(), 10))
        assert codes == [0, 1]


async def until_metric(connector, name, value):
    async def there():
        return await connector.metric(name) == value

    await until(there, 5, f"{name} {value}")


async def until_ready_is(connector, expected, within):
    async def there():
        return await connector.ready() == expected

    await until(there, within, f"/ready {expected}")
