from typing import Any

import pytest

from inferagent.lab.cloudflare import load_balancers as lbs


def test_a_new_load_balancer_has_the_defaults(api: Any) -> None:
    made = api.load_balancer(api.pool()["id"])
    assert (made["enabled"], made["proxied"], made["steering_policy"]) == (True, False, "off")
    assert made["adaptive_routing"] == {"failover_across_pools": False}
    assert made["zone_name"] == "example.com"


@pytest.mark.parametrize(
    "change",
    [
        {"default_pools": []},
        {"default_pools": ["no-such-pool"]},
        {"fallback_pool": "no-such-pool"},
        {"fallback_pool": None},
        {"random_steering": {"pool_weights": {"no-such-pool": 1}}},
        {"random_steering": {"default_weight": 2}},
        {"steering_policy": "geo"},
        {"steering_policy": "fastest"},
        {"proxied": "true"},
        {"name": "chat.elsewhere.com"},
        {"id": "x"},
        {"surprise": 1},
    ],
)
def test_a_bad_body_is_refused(api: Any, change: dict[str, Any]) -> None:
    made = api.load_balancer(api.pool()["id"])
    assert api.refused(lbs.edit_load_balancer, change, load_balancer=made["id"]) == (400, 1002)
    assert api(lbs.get_load_balancer, load_balancer=made["id"]) == made


def test_weights_are_kept_and_a_patch_replaces_them_whole(api: Any) -> None:
    one, two = api.pool("a")["id"], api.pool("b")["id"]
    weights = {one: 0.8, two: 0.2}
    made = api.load_balancer(one, two, steering_policy="random", random_steering={"pool_weights": weights})
    assert made["random_steering"] == {"pool_weights": weights}
    change = {"random_steering": {"default_weight": 0.5}}
    after = api(lbs.edit_load_balancer, change, load_balancer=made["id"])
    assert after["random_steering"] == {"default_weight": 0.5}
    assert after["default_pools"] == [one, two]


def test_put_resets_what_it_does_not_name(api: Any) -> None:
    pool = api.pool()["id"]
    made = api.load_balancer(pool, proxied=True)
    body = {"name": "chat.example.com", "default_pools": [pool], "fallback_pool": pool}
    after = api(lbs.update_load_balancer, body, load_balancer=made["id"])
    assert (after["proxied"], after["id"]) == (False, made["id"])


def test_a_hostname_has_one_load_balancer(api: Any) -> None:
    pool = api.pool()["id"]
    api.load_balancer(pool)
    body = {"name": "chat.example.com", "default_pools": [pool], "fallback_pool": pool}
    assert api.refused(lbs.create_load_balancer, body) == (400, 1003)


def test_more_policies_can_be_paid_for(api: Any) -> None:
    api.settings = type(api.settings)(steering_policies=frozenset({"geo"}))
    assert api.load_balancer(api.pool()["id"], steering_policy="geo")["steering_policy"] == "geo"


def test_the_number_is_limited(api: Any) -> None:
    pool = api.pool()["id"]
    for number in range(20):
        api.load_balancer(pool, name=f"l{number}.example.com")
    body = {"name": "x.example.com", "default_pools": [pool], "fallback_pool": pool}
    assert api.refused(lbs.create_load_balancer, body) == (400, 1002)


def test_a_deleted_one_is_gone(api: Any) -> None:
    made = api.load_balancer(api.pool()["id"])
    assert api(lbs.delete_load_balancer, load_balancer=made["id"]) == {"id": made["id"]}
    assert api(lbs.list_load_balancers) == []
    assert api.refused(lbs.delete_load_balancer, load_balancer=made["id"]) == (404, 1001)
