"""Checks of record, pool and monitor, on shapes that the clinic does not show."""

import pytest
from tests.support.doctoring import TUNNEL, configured, judged

from inferagent.programs.doctor.looks_account import HEALTH, MONITOR, POOLS, RECORDS
from inferagent.programs.doctor.looks_here import ASKED, STATUS, Asked

ADDRESS = f"{TUNNEL}.cfargotunnel.com"
ENTRY = {"name": "gpu-a", "address": ADDRESS, "enabled": True, "header": {"Host": ["gpu-a.example.com"]}}
POOL = {"id": "p1", "name": "gpu-a", "enabled": True, "monitor": "m", "origins": [ENTRY], "healthy": True}
MON = {"type": "https", "port": 443, "path": "/.inferagent/ready", "expected_codes": "200", "interval": 60}


def pool(**fields):
    return [{**POOL, **fields}]


@pytest.mark.parametrize(
    ("pools", "verdict", "words"),
    [
        (pool(), "ok", ""),
        (pool(origins=[]), "fail", "0 endpoints"),
        (pool(origins=[ENTRY, ENTRY]), "fail", "2 endpoints"),
        (pool(origins=[{**ENTRY, "header": None}]), "fail", "none"),
        (pool(origins=[{**ENTRY, "weight": 0}]), "warn", "weight"),
        (pool(origins="x"), "fail", "0 endpoints"),
    ],
)
def test_endpoints(tmp_path, pools, verdict, words):
    result = judged("pool.endpoint", configured(tmp_path), {POOLS: pools})
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


@pytest.mark.parametrize(
    ("enabled", "phase", "verdict"),
    [
        (True, "serving", "ok"),
        (False, "out", "ok"),
        (False, "serving", "warn"),
        (False, "", "ok"),
        (None, "serving", "ok"),
    ],
)
def test_a_pool_that_is_out_on_purpose_is_no_fault(tmp_path, enabled, phase, verdict):
    given = {POOLS: pool(enabled=enabled), STATUS: {"phase": phase, "sentence": "held"}}
    assert judged("pool.enabled", configured(tmp_path), given).verdict == verdict


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, "ok"),
        ({"port": 0}, "ok"),
        ({"expected_codes": "2xx"}, "ok"),
        ({"expected_codes": "200,503"}, "fail"),
        ({"expected_codes": ""}, "fail"),
        ({"expected_body": "ok"}, "fail"),
        ({"type": "tcp"}, "fail"),
        ({"path": "/api/tags"}, "fail"),
    ],
)
def test_monitors(tmp_path, fields, verdict):
    given = {POOLS: pool(), MONITOR: {**MON, **fields}}
    assert judged("monitor.there", configured(tmp_path), given).verdict == verdict


@pytest.mark.parametrize(
    ("asked", "fields", "verdict"),
    [
        (Asked(3, 5.0), {}, "ok"),
        (Asked(3, 900.0), {}, "fail"),
        (Asked(0, None), {}, "fail"),
        (Asked(0, None), {"enabled": False}, "skipped"),
    ],
)
def test_when_it_asked(tmp_path, asked, fields, verdict):
    given = {POOLS: pool(**fields), ASKED: asked}
    assert judged("monitor.asked", configured(tmp_path), given).verdict == verdict


UNWELL = {
    "pop_health": {
        "Amsterdam, NL": {"origins": [{ADDRESS: {"failure_reason": "HTTP timeout", "response_code": 0}}]}
    }
}


@pytest.mark.parametrize(
    ("fields", "status", "verdict", "words"),
    [
        ({}, {}, "ok", "healthy"),
        ({"healthy": None}, {}, "ok", "not told"),
        ({"healthy": False}, {"verdict": False}, "ok", "as the ready URL says"),
        ({"healthy": False}, {"verdict": True, "phase": "joining"}, "ok", "joining"),
        ({"healthy": False}, {"verdict": True, "phase": "serving"}, "fail", "HTTP timeout (0)"),
        ({"enabled": False}, {}, "skipped", ""),
    ],
)
def test_what_the_monitor_sees(tmp_path, fields, status, verdict, words):
    given = {POOLS: pool(**fields), STATUS: status, HEALTH: UNWELL}
    result = judged("monitor.verdict", configured(tmp_path), given)
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


def test_other_kinds_of_records_are_passed_over(tmp_path):
    records = [{"type": "TXT", "content": "x"}, {"type": "CNAME", "content": ADDRESS, "proxied": True}]
    assert judged("dns.record", configured(tmp_path), {RECORDS: records}).verdict == "ok"


@pytest.mark.parametrize(
    "name", ["pool.there", "pool.endpoint", "pool.identity", "pool.enabled", "monitor.there"]
)
def test_other_memberships_have_no_pool_of_their_own(tmp_path, name):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace("own-pool", "pull"))
    assert judged(name, direction).verdict == "skipped"
