"""Checks of the account, on answers that the clinic does not give."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.doctoring import configured, judged

from inferagent.programs.doctor.looks_account import (
    BALANCER,
    POOLS,
    RIGHTS,
    TOKEN,
    TUNNEL,
    ZONE,
    Refusal,
    Token,
)


def token(**fields):
    return Token(**{"status": "active", "expires_on": "", "path": "/x", **fields})


def in_days(days):
    return (datetime.now(UTC) + timedelta(days=days, hours=1)).isoformat()


@pytest.mark.parametrize(
    ("found", "verdict", "words"),
    [
        (token(), "ok", "does not expire"),
        (token(expires_on=in_days(100)), "ok", "expires on"),
        (token(expires_on=in_days(3)), "warn", "in 3 days"),
        (token(expires_on="soon"), "ok", "does not expire"),
        (token(expires_on="2099-01-01"), "ok", "2099-01-01"),
        (token(status="disabled"), "fail", "disabled"),
        (token(status=""), "fail", "unknown state"),
        (Refusal(401, "cannot verify the API token: 1000 Invalid API Token"), "fail", "Invalid"),
    ],
)
def test_tokens(tmp_path, found, verdict, words):
    result = judged("account.token", configured(tmp_path), {TOKEN: found})
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


NO, GONE = Refusal(403, "no"), Refusal(404, "gone")


@pytest.mark.parametrize(
    ("pools", "balancer", "rights", "verdict", "words"),
    [
        ([], {}, NO, "ok", "the first join shows"),
        ([], {}, ("Load Balancing: Monitors And Pools Write",), "ok", "may read and write"),
        ([], {}, ("Load Balancing: Monitors and Pools Read",), "fail", "only read"),
        (NO, {}, NO, "fail", "Pools Write"),
        (NO, NO, NO, "fail", "Write and Load Balancers Read"),
        ([], GONE, NO, "ok", ""),
    ],
)
def test_rights(tmp_path, pools, balancer, rights, verdict, words):
    given = {POOLS: pools, BALANCER: balancer, RIGHTS: rights}
    result = judged("account.permissions", configured(tmp_path), given)
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


@pytest.mark.parametrize(
    ("zone", "verdict", "words"),
    [
        ({"name": "example.com", "status": "active"}, "ok", ""),
        ({"name": "example.com", "status": "active", "paused": True}, "fail", "Enable"),
        (
            {"name": "example.com", "status": "moved", "name_servers": ["a.ns", "b.ns"]},
            "fail",
            "a.ns and b.ns",
        ),
        (NO, "skipped", ""),
        ([], "fail", ""),
    ],
)
def test_zones(tmp_path, zone, verdict, words):
    result = judged("dns.zone", configured(tmp_path), {ZONE: zone})
    assert (result.verdict, words in result.outcome.cure) == (verdict, True)


@pytest.mark.parametrize(
    ("tunnel", "verdict", "words"),
    [
        ({"name": "t", "status": "healthy"}, "ok", "healthy"),
        ({"name": "t", "deleted_at": "2026-01-01"}, "fail", "deleted"),
        ({"name": "t", "remote_config": False}, "fail", "by a file"),
        ({"name": "t", "config_src": "local"}, "fail", "by a file"),
        (NO, "skipped", "may not"),
        (GONE, "fail", "no tunnel"),
    ],
)
def test_tunnels(tmp_path, tunnel, verdict, words):
    result = judged("account.tunnel", configured(tmp_path), {TUNNEL: tunnel})
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)
