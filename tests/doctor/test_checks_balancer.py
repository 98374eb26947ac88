"""Checks of the load balancer, on shapes that the clinic does not show."""

import pytest
from tests.support.doctoring import configured, judged

from inferagent.adapters.cloudflare.identity import Promise, describe
from inferagent.programs.doctor.looks_account import BALANCER, POOLS

POOL = {"id": "p1", "name": "gpu-a", "origins": [{}]}
LAST = {"id": "f1", "name": "fallback", "origins": [{"enabled": True}]}
LB = {
    "name": "llm.example.com",
    "enabled": True,
    "proxied": True,
    "default_pools": ["p1"],
    "fallback_pool": "f1",
}


def check(tmp_path, name, balancer=None, pools=()):
    return judged(
        name, configured(tmp_path), {BALANCER: {**LB, **(balancer or {})}, POOLS: [POOL, LAST, *pools]}
    )


@pytest.mark.parametrize(
    ("fields", "verdict"), [({}, "ok"), ({"proxied": False}, "fail"), ({"default_pools": None}, "fail")]
)
def test_whether_it_leads_here(tmp_path, fields, verdict):
    assert check(tmp_path, "balancer.there", fields).verdict == verdict


@pytest.mark.parametrize(
    ("last", "verdict", "words"),
    [
        (LAST, "ok", "1 endpoints"),
        ({**LAST, "origins": [{"enabled": False}]}, "fail", "1016"),
        ({**LAST, "id": "elsewhere"}, "fail", "gone"),
    ],
)
def test_fallbacks(tmp_path, last, verdict, words):
    result = judged("balancer.fallback", configured(tmp_path), {BALANCER: LB, POOLS: [POOL, last]})
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


@pytest.mark.parametrize(
    ("pools", "across", "verdict"),
    [
        (["p1"], False, "ok"),
        (["p1", "p2"], False, "warn"),
        (["p1", "p2"], True, "ok"),
        (["p1", "p2"], None, "warn"),
    ],
)
def test_failover_matters_where_there_is_another_pool(tmp_path, pools, across, verdict):
    fields = {"default_pools": pools, "adaptive_routing": {"failover_across_pools": across}}
    assert check(tmp_path, "balancer.failover", fields).verdict == verdict


@pytest.mark.parametrize(
    ("description", "verdict"),
    [
        (describe(Promise("b", ("chat",))), "ok"),
        (describe(Promise("b", ("code",))), "fail"),
        ("a person's", "ok"),
    ],
)
def test_promises_of_others(tmp_path, description, verdict):
    other = {"id": "p2", "name": "gpu-b", "description": description}
    assert check(tmp_path, "balancer.promises", {"default_pools": ["p1", "p2"]}, [other]).verdict == verdict


def test_who_is_alone_promises_nobody(tmp_path):
    assert check(tmp_path, "balancer.promises").verdict == "skipped"
