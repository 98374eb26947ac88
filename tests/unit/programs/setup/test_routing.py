"""Ingress, hostname and load balancer: bodies and differences."""

from dataclasses import replace
from typing import Any

import pytest

from inferagent.model.desired import EngineKind
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.routing import ingress, load_balancer, own_rules, record, tunnel

IDS = {"tunnel": "t", "pool": "p", "fallback": "f"}
CATCH_ALL = {"service": "http_status:404"}


def test_the_ready_rule_comes_first_and_its_service_has_no_path(plain: SetupRequest) -> None:
    ready, rule, last = ingress(plain, [])
    assert ready == {
        "hostname": "gpu-a.example.com",
        "path": r"^/\.inferagent/ready$",
        "service": "http://127.0.0.1:8790",
    }
    assert (rule["hostname"], rule["service"]) == ("gpu-a.example.com", "http://127.0.0.1:8000")
    assert last == CATCH_ALL


def test_ollama_is_asked_as_localhost(plain: SetupRequest) -> None:
    ollama = replace(plain, engine=replace(plain.engine, kind=EngineKind.OLLAMA))
    assert own_rules(ollama)[1]["originRequest"] == {"httpHostHeader": "localhost"}
    assert "originRequest" not in own_rules(ollama)[0]


def test_connections_to_vllm_are_given_up_before_it_closes_them(plain: SetupRequest) -> None:
    assert own_rules(plain)[1]["originRequest"] == {"keepAliveTimeout": 3}


FOREIGN = [{"hostname": "ssh.example.com", "service": "ssh://localhost:22", "originRequest": {"x": 1}}]


@pytest.mark.parametrize("last", [CATCH_ALL, {"service": "http://localhost:80"}])
def test_foreign_rules_stay_in_their_order(plain: SetupRequest, last: dict[str, Any]) -> None:
    rules = ingress(plain, [*FOREIGN, last])
    assert rules[2:] == [*FOREIGN, last]
    assert ingress(plain, rules) == rules


def test_a_rule_of_this_hostname_is_led_to_the_engine_and_keeps_its_options(plain: SetupRequest) -> None:
    options = {"connectTimeout": 5, "keepAliveTimeout": 90}
    old = {"hostname": "gpu-a.example.com", "service": "http://localhost:1", "originRequest": options}
    rules = ingress(plain, [old, CATCH_ALL])
    merged = {"connectTimeout": 5, "keepAliveTimeout": 3}
    assert rules[1] == {**old, "service": "http://127.0.0.1:8000", "originRequest": merged}
    assert len(rules) == 3


def test_a_record_is_a_proxied_name_of_the_tunnel(plain: SetupRequest) -> None:
    wanted = record(plain, "z")
    body = wanted.make(IDS)
    assert (body["type"], body["name"], body["content"]) == (
        "CNAME",
        "gpu-a.example.com",
        "t.cfargotunnel.com",
    )
    assert wanted.change({**body, "ttl": 300}, IDS) == {}
    assert wanted.change({**body, "proxied": False}, IDS) == {"proxied": True}


def test_a_tunnel_is_found_by_name_among_the_living(plain: SetupRequest) -> None:
    wanted = tunnel(plain, "a")
    assert wanted.make({}) == {"name": "gpu-a", "config_src": "cloudflare"}
    assert wanted.where.params["is_deleted"] == "false"
    assert wanted.change({"name": "gpu-a"}, {}) == {}


def test_a_new_load_balancer(plain: SetupRequest) -> None:
    wanted = load_balancer(replace(plain, weight=80), "z")
    body = wanted.make(IDS)
    assert (body["default_pools"], body["fallback_pool"]) == (["p"], "f")
    assert body["random_steering"]["pool_weights"] == {"p": 0.8}
    assert body["adaptive_routing"] == {"failover_across_pools": True}
    assert wanted.change({"id": "l", **body}, IDS) == {}
    assert wanted.parts is not None
    assert wanted.parts(IDS) == {
        "default_pools": ["p"],
        "random_steering": {"pool_weights": {"p": 0.8}},
    }


def test_joining_adds_this_host_and_nothing_else(plain: SetupRequest) -> None:
    other = load_balancer(replace(plain, weight=80), "z").make({**IDS, "pool": "other"})
    fields = load_balancer(replace(plain, weight=20), "z").change(other, IDS)
    assert fields == {
        "default_pools": ["other", "p"],
        "random_steering": {"default_weight": 1.0, "pool_weights": {"other": 0.8, "p": 0.2}},
    }


def test_without_a_weight_the_steering_is_left_alone(plain: SetupRequest) -> None:
    existing = {"default_pools": ["x"], "fallback_pool": "x", "steering_policy": "off", "proxied": True}
    fields = load_balancer(plain, "z").change(existing, IDS)
    assert set(fields) == {"default_pools", "fallback_pool", "adaptive_routing"}
    assert load_balancer(replace(plain, weight=5), "z").change(existing, IDS)["steering_policy"] == "random"
