"""The connector's metrics server: answering, refusing, hanging, babbling, restarted and reconfigured."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

import pytest
from tests.unit.adapters.local_bench import (
    BREAK,
    HANG,
    LEAVES_SOCKETS,
    HandClock,
    Reply,
    bench,
    closed_port,
    full_queue,
)

from inferagent.adapters.tunnel.cloudflared import CONFIG_EVERY, TUNNEL_EVERY, Cloudflared, tunnel_of
from inferagent.model.reading import Failed, Value, known
from inferagent.model.tunnel import Ingress, IngressRule, Traffic

pytestmark = LEAVES_SOCKETS

READY, METRICS, CONFIG, DIAG = "GET /ready", "GET /metrics", "GET /config", "GET /diag/tunnel"
TUNNEL = "6f1c2d3e-0000-4000-8000-0123456789ab"


def ready(count, status=200, life="life-1"):
    return Reply(status, {"status": status, "readyConnections": count, "connectorId": life})


def metrics(total=7, flying=2, version=3, more=b""):
    return Reply(
        200,
        b'build_info{goversion="go1.26",version="2026.8.2"} 1\n'
        b"cloudflared_icmp_total_requests 99\n"
        b"cloudflared_orchestration_config_version %d\n"
        b"cloudflared_tunnel_concurrent_requests_per_tunnel %d\n"
        b"cloudflared_tunnel_total_requests %d\n" % (version, flying, total) + more,
    )


def config(version=3, **rule):
    first = {"hostname": "a.example.com", "path": "^/x$", "service": "http://127.0.0.1:1", "Handlers": None}
    last = {"hostname": "", "path": None, "service": "http_status:404"}
    return Reply(200, {"version": version, "config": {"ingress": [first | rule, last], "warp-routing": {}}})


RULES = (
    IngressRule("a.example.com", "^/x$", "http://127.0.0.1:1"),
    IngressRule("", "", "http_status:404"),
)
HEALTHY = {
    READY: ready(4),
    METRICS: metrics(),
    CONFIG: config(),
    DIAG: Reply(200, {"tunnelID": TUNNEL, "connectorID": "life-1", "connections": []}),
}


@asynccontextmanager
async def connector(address="", deadline=0.5, tunnel_id="", **routes):
    clock = HandClock()
    async with bench(**(HEALTHY | routes)) as server:
        one = Cloudflared(
            address or f"127.0.0.1:{server.port}", clock=clock, tunnel_id=tunnel_id, deadline=deadline
        )
        yield one, server, clock
        await one.aclose()


async def test_the_host_header_that_a_rule_gives_is_read():
    options = {"httpHostHeader": "localhost", "noTLSVerify": False}
    async with connector(**{CONFIG: config(originRequest=options)}) as (one, _, _):
        rules = known((await one.look()).ingress).rules
    assert [rule.host for rule in rules] == ["localhost", ""]
    assert rules == RULES


async def test_a_healthy_look():
    async with connector() as (one, _, _):
        look = await one.look()
    assert known(look.ready) == 4
    assert known(look.traffic) == Traffic(7, 2, 0)
    assert known(look.ingress) == Ingress(3, RULES)
    assert known(look.tunnel_id) == TUNNEL
    assert look.version == "2026.8.2"


async def test_503_is_no_edge_connection():
    async with connector(**{READY: ready(0, 503)}) as (one, _, _):
        assert known((await one.look()).ready) == 0


async def test_a_connector_that_is_leaving_has_none_whatever_it_still_counts():
    async with connector(**{READY: ready(2, 503)}) as (one, _, _):
        assert known((await one.look()).ready) == 0


async def test_a_refused_port_is_no_edge_connection_and_no_word_on_traffic():
    async with connector(f"127.0.0.1:{closed_port()}") as (one, _, _):
        look = await one.look()
    assert known(look.ready) == 0
    assert isinstance(look.traffic, Failed)
    assert isinstance(look.ingress, Failed)
    assert isinstance(look.tunnel_id, Failed)


@pytest.mark.parametrize(
    "reply",
    [
        HANG,
        BREAK,
        Reply(404),
        Reply(200, b"ok"),
        Reply(200, {"status": 200}),
        Reply(200, []),
        ready(-1),
        ready(True),
        ready(2.0),
    ],
)
async def test_an_unreadable_ready_is_unknown(reply):
    async with connector(**{READY: reply}) as (one, _, _):
        async with asyncio.timeout(2.0):
            look = await one.look()
    assert isinstance(look.ready, Failed)
    assert "cannot" in look.ready.reason


async def test_a_full_queue_is_unknown():
    with full_queue() as port:
        async with connector(f"127.0.0.1:{port}") as (one, _, _):
            assert isinstance((await one.look()).ready, Failed)


@pytest.mark.parametrize(
    "reply", [HANG, BREAK, Reply(500), Reply(200, b""), Reply(200, b"cloudflared_tun"), metrics(flying=-1)]
)
async def test_traffic_fails_alone(reply):
    async with connector(**{METRICS: reply}) as (one, _, _):
        look = await one.look()
    assert isinstance(look.traffic, Failed)
    assert "cannot" in look.traffic.reason
    assert known(look.ready) == 4


@pytest.mark.parametrize(
    "reply",
    [
        HANG,
        BREAK,
        Reply(500, b"ERR"),
        Reply(200, b"{"),
        Reply(200, {}),
        Reply(200, {"version": 1, "config": 3}),
        Reply(200, {"version": 1, "config": {}}),
        Reply(200, {"version": True, "config": {"ingress": None}}),
        Reply(200, {"version": 1, "config": {"ingress": ["a.example.com"]}}),
        config(path={"Regexp": "^/x$"}),
        config(hostname=False),
    ],
)
async def test_ingress_fails_alone(reply):
    async with connector(**{CONFIG: reply}) as (one, _, _):
        look = await one.look()
    assert isinstance(look.ingress, Failed)
    assert (known(look.ready), known(look.traffic)) == (4, Traffic(7, 2, 0))


async def test_an_empty_ingress_is_a_reading():
    empty = Reply(200, {"version": -1, "config": {"ingress": None}})
    async with connector(**{CONFIG: empty}) as (one, _, _):
        assert known((await one.look()).ingress) == Ingress(-1, ())


async def test_an_unchanged_configuration_is_not_read_again_and_stays_fresh():
    async with connector() as (one, server, clock):
        await one.look()
        clock.at += 5
        look = await one.look()
        assert look.ingress == Value(Ingress(3, RULES), clock.at)
        assert len(server.asked("/config")) == 1
        clock.at += CONFIG_EVERY
        await one.look()
        assert len(server.asked("/config")) == 2


async def test_a_new_version_is_read_at_once():
    async with connector() as (one, server, _):
        await one.look()
        server.routes |= {METRICS: metrics(version=4), CONFIG: config(4, service="http://127.0.0.1:2")}
        ingress = known((await one.look()).ingress)
    assert (ingress.version, ingress.rules[0].service) == (4, "http://127.0.0.1:2")


async def test_without_a_version_the_configuration_is_read_each_time():
    async with connector(**{METRICS: Reply(200, b"")}) as (one, server, _):
        await one.look()
        await one.look()
        assert len(server.asked("/config")) == 2


async def test_another_life_is_asked_for_everything_again():
    other = "11111111-2222-4333-8444-555555555555"
    async with connector() as (one, server, _):
        await one.look()
        server.routes |= {READY: ready(1, life="life-2"), DIAG: Reply(200, {"tunnelID": other})}
        look = await one.look()
        assert known(look.tunnel_id) == other
        assert len(server.asked("/config")) == 2


async def test_the_tunnel_is_asked_for_once_a_life():
    async with connector() as (one, server, clock):
        await one.look()
        clock.at += TUNNEL_EVERY
        look = await one.look()
        assert look.tunnel_id == Value(TUNNEL, clock.at)
        assert len(server.asked("/diag/tunnel")) == 1


@pytest.mark.parametrize(
    "reply",
    [HANG, Reply(404), Reply(200, {}), Reply(200, {"tunnelID": "00000000-0000-0000-0000-000000000000"})],
)
async def test_the_tokens_tunnel_stands_in(reply):
    async with connector(tunnel_id="from-token", **{DIAG: reply}) as (one, server, clock):
        assert known((await one.look()).tunnel_id) == "from-token"
        assert known((await one.look()).tunnel_id) == "from-token"
        assert len(server.asked("/diag/tunnel")) == 1
        clock.at += TUNNEL_EVERY
        await one.look()
        assert len(server.asked("/diag/tunnel")) == 2


async def test_the_connectors_own_word_beats_the_token():
    async with connector(tunnel_id="from-token") as (one, _, _):
        assert known((await one.look()).tunnel_id) == TUNNEL


async def test_nobody_names_a_tunnel():
    async with connector(**{DIAG: Reply(404)}) as (one, _, _):
        assert isinstance((await one.look()).tunnel_id, Failed)


async def test_everything_hanging_ends_in_time():
    async with connector(**{METRICS: HANG, CONFIG: HANG, DIAG: HANG}) as (one, _, _):
        async with asyncio.timeout(2.0):
            look = await one.look()
    assert known(look.ready) == 4
    assert isinstance(look.ingress, Failed)


def token(content):
    return base64.b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    ("text", "tunnel"),
    [
        (token({"a": "acc", "t": TUNNEL, "s": "c2VjcmV0"}) + "\n", TUNNEL),
        (token({"a": "acc"}), ""),
        (token({"t": 3}), ""),
        (token([1]), ""),
        ("no token", ""),
        ("", ""),
        (base64.b64encode(b"\xff\xfe").decode(), ""),
    ],
)
def test_the_tunnel_of_a_token(text, tunnel):
    assert tunnel_of(text) == tunnel


CODE = b'cloudflared_tunnel_response_by_code{status_code="%d"} %s\n'


@pytest.mark.parametrize(
    ("more", "failed"),
    [
        (b"", 0),
        (CODE % (200, b"9"), 0),
        (CODE % (200, b"9") + CODE % (500, b"2") + CODE % (502, b"1") + CODE % (404, b"5"), 3),
        (CODE % (502, b"1") + CODE % (500, b"NaN"), None),
        (CODE % (502, b"1") + b"cloudflared_tunnel_response_by_code{status", None),
        (b"what is this\n", None),
    ],
)
async def test_errors_that_users_got_are_counted_unless_a_line_is_in_doubt(more, failed):
    async with connector(**{METRICS: metrics(more=more)}) as (one, _, _):
        assert known((await one.look()).traffic) == Traffic(7, 2, failed)
