import pytest
from tests.support.edge_lab import HOST, TUNNEL, configure, until

from inferagent.lab.edge.probe import AGENT, code_matches, probe

MONITOR = {"type": "https", "path": "/ready", "timeout": 2, "retries": 0, "expected_codes": "200"}
ORIGIN = {"address": f"{TUNNEL}.cfargotunnel.com", "header": {"Host": [HOST]}}


@pytest.mark.parametrize(
    ("expected", "status", "ok"),
    [
        ("200", 200, True),
        ("2xx", 204, True),
        ("2xx", 301, False),
        ("200,503", 503, True),
        ("", 200, True),
        ("", 204, False),
    ],
)
def test_expected_codes(expected, status, ok):
    assert code_matches(expected, status) is ok


async def test_a_probe_enters_the_tunnel_as_an_ordinary_request(edge, origin, connected):
    monitor = MONITOR | {"header": {"Host": ["other.example.com"], "X-Key": ["k"]}, "method": "GET"}
    look = await probe(edge.tunnels, "0123456789abcdef0123", ORIGIN, monitor)
    assert (look.ok, look.code) == (True, 200)
    method, path, headers = origin.seen[-1]
    assert (method, path, headers["X-Key"]) == ("GET", "/ready", "k")
    assert headers["User-Agent"] == AGENT.format("0123456789abcdef")
    assert headers["User-Agent"].startswith("Mozilla/5.0 (compatible; Cloudflare-Traffic-Manager/1.0;")
    assert connected.metrics.total_requests == 1


async def test_the_endpoints_host_beats_the_monitors(edge, origin, connected):
    await probe(edge.tunnels, "p", ORIGIN, MONITOR | {"header": {"Host": ["other.example.com"]}})
    assert origin.seen[-1][2]["Host"] == HOST
    bare = {"address": ORIGIN["address"]}
    look = await probe(edge.tunnels, "p", bare, MONITOR | {"header": {"Host": ["other.example.com"]}})
    assert look.code == 404


async def test_body_and_code_are_judged(edge, origin, connected):
    assert (await probe(edge.tunnels, "p", ORIGIN, MONITOR | {"expected_body": "GPU-A"})).ok
    look = await probe(edge.tunnels, "p", ORIGIN, MONITOR | {"expected_body": "absent"})
    assert look.reason == "Response body mismatch error"
    origin.status = 503
    look = await probe(edge.tunnels, "p", ORIGIN, MONITOR)
    assert (look.ok, look.code, look.reason) == (False, 503, "Response code mismatch error")


async def test_a_timeout_is_tried_again_and_nothing_else_is(edge, origin, connected):
    slow = MONITOR | {"path": "/hang", "timeout": 0.1, "retries": 2}
    assert (await probe(edge.tunnels, "p", ORIGIN, slow)).reason == "HTTP timeout occurred"
    assert len(origin.seen) == 3
    await until(lambda: connected.metrics.concurrent_requests == 0)
    origin.status = 500
    await probe(edge.tunnels, "p", ORIGIN, MONITOR | {"retries": 2})
    assert len(origin.seen) == 4


async def test_no_connection_is_a_failure(edge):
    look = await probe(edge.tunnels, "p", ORIGIN, MONITOR)
    assert (look.ok, look.code) == (False, 530)


@pytest.mark.parametrize(
    ("origin_more", "monitor_more"),
    [({}, {"type": "http"}), ({}, {"type": "tcp"}), ({}, {"port": 8080}), ({"address": "192.0.2.1"}, {})],
)
async def test_what_cannot_reach_a_tunnel_fails(edge, origin, connected, origin_more, monitor_more):
    assert not (await probe(edge.tunnels, "p", ORIGIN | origin_more, MONITOR | monitor_more)).ok
    assert origin.seen == []


async def test_a_reset_by_the_connector_is_a_failure(edge, store, connected):
    configure(store, [{"hostname": HOST, "service": store_url(store)}, {"service": "http_status:404"}], 5)
    look = await probe(edge.tunnels, "p", ORIGIN, MONITOR | {"path": "/break"})
    assert (look.ok, look.reason) == (False, "HTTP request failed")


def store_url(store):
    return store.tunnel_configurations[TUNNEL]["config"]["ingress"][0]["service"]
