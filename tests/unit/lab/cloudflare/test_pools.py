from typing import Any

import pytest

from inferagent.lab.cloudflare import load_balancers, monitors, pools


def test_a_new_pool_has_the_defaults(api: Any) -> None:
    pool = api.pool()
    assert (pool["enabled"], pool["minimum_origins"], pool["description"]) == (True, 1, "")
    assert pool["origins"][0]["enabled"] is True
    assert "disabled_at" not in pool
    assert "healthy" not in pool


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"enabled": "true"},
        {"enabled": 1},
        {"enabled": None},
        {"name": "with space"},
        {"id": "x"},
        {"modified_on": "2026-01-01"},
        {"minimum_origins": "1"},
        {"origins": []},
        {"origins": {"name": "a"}},
        {"monitor": "no-such-monitor"},
        {"latitude": 52.0},
        {"load_shedding": {"default_percent": 101}},
        {"origin_steering": {"policy": "best"}},
    ],
)
def test_a_bad_body_is_refused_and_nothing_changes(api: Any, change: dict[str, Any]) -> None:
    pool = api.pool()
    before = api.store.snapshot()
    assert api.refused(pools.edit_pool, change, pool=pool["id"]) == (400, 1002)
    assert api.store.snapshot() == before


@pytest.mark.parametrize(
    "change",
    [
        {"weight": 1.5},
        {"weight": 0.333},
        {"weight": "1"},
        {"disabled_at": "2026-01-01"},
        {"header": {"Accept": ["x"]}},
        {"header": {"Host": ["a.example.com", "b.example.com"]}},
        {"header": {"Host": ["gpu.elsewhere.com"]}},
        {"header": {"Host": ["a.b.example.com"]}},
        {"address": ""},
        {"port": 70000},
    ],
)
def test_a_bad_endpoint_is_refused(api: Any, change: dict[str, Any]) -> None:
    body = {"name": "a", "origins": [api.endpoint() | change]}
    assert api.refused(pools.create_pool, body) == (400, 1002)


def test_patch_changes_only_what_it_names(api: Any) -> None:
    pool = api.pool(description="mine", minimum_origins=2)
    api.clock.time += 1
    after = api(pools.edit_pool, {"enabled": False}, pool=pool["id"])
    changed = {key for key in after if after[key] != pool.get(key)}
    assert changed == {"enabled", "disabled_at", "modified_on"}


def test_patch_replaces_the_endpoints_as_a_whole(api: Any) -> None:
    pool = api.pool(origins=[api.endpoint("a"), api.endpoint("b")])
    after = api(pools.edit_pool, {"origins": [api.endpoint("c", weight=0.5)]}, pool=pool["id"])
    assert [(e["name"], e["weight"]) for e in after["origins"]] == [("c", 0.5)]


def test_put_resets_what_it_does_not_name(api: Any) -> None:
    pool = api.pool(description="mine", enabled=False)
    after = api(pools.update_pool, {"name": "gpu-1", "origins": [api.endpoint()]}, pool=pool["id"])
    assert (after["description"], after["enabled"]) == ("", True)
    assert (after["id"], after["created_on"]) == (pool["id"], pool["created_on"])


def test_put_needs_name_and_endpoints(api: Any) -> None:
    pool = api.pool()
    assert api.refused(pools.update_pool, {"enabled": True}, pool=pool["id"]) == (400, 1002)


def test_the_moment_of_disabling_stays_until_it_is_enabled(api: Any) -> None:
    pool = api.pool(enabled=False, origins=[api.endpoint(enabled=False)])
    api.clock.time += 10
    again = api(
        pools.edit_pool, {"enabled": False, "origins": [api.endpoint(enabled=False)]}, pool=pool["id"]
    )
    assert again["disabled_at"] == pool["disabled_at"]
    assert again["origins"][0]["disabled_at"] == pool["origins"][0]["disabled_at"]
    enabled = api(pools.edit_pool, {"enabled": True}, pool=pool["id"])
    assert "disabled_at" not in enabled
    assert "disabled_at" in enabled["origins"][0]


def test_names_are_unique_and_a_pool_may_keep_its_own(api: Any) -> None:
    pool, other = api.pool("a"), api.pool("b")
    assert api.refused(pools.create_pool, {"name": "a", "origins": [api.endpoint()]}) == (400, 1003)
    assert api.refused(pools.edit_pool, {"name": "a"}, pool=other["id"]) == (400, 1003)
    assert api(pools.edit_pool, {"name": "a"}, pool=pool["id"])["name"] == "a"


def test_addresses_are_unique_in_a_pool(api: Any) -> None:
    body = {"name": "a", "origins": [api.endpoint("x"), api.endpoint("x") | {"name": "y"}]}
    assert api.refused(pools.create_pool, body) == (400, 1002)


def test_the_twenty_first_pool_is_refused(api: Any) -> None:
    for number in range(20):
        api.pool(f"gpu-{number}")
    assert api.refused(pools.create_pool, {"name": "x", "origins": [api.endpoint()]}) == (400, 1002)


def test_endpoints_are_limited_in_a_pool_and_in_the_account(api: Any) -> None:
    many = [api.endpoint(f"e{number}") for number in range(21)]
    assert api.refused(pools.create_pool, {"name": "x", "origins": many}) == (400, 1002)
    api.settings = type(api.settings)(max_endpoints_per_account=1)
    api.pool("a")
    assert api.refused(pools.create_pool, {"name": "b", "origins": [api.endpoint("b")]}) == (400, 1002)


def test_a_pool_in_use_cannot_be_deleted(api: Any) -> None:
    pool, panic = api.pool("a"), api.pool("panic")
    balancer = api.load_balancer(pool["id"], fallback_pool=panic["id"])
    for used in (pool, panic):
        assert api.refused(pools.delete_pool, pool=used["id"]) == (412, 1005)
        found = api(pools.pool_references, pool=used["id"])
        assert [item["resource_id"] for item in found] == [balancer["id"]]
    api(load_balancers.delete_load_balancer, load_balancer=balancer["id"])
    assert api(pools.delete_pool, pool=pool["id"]) == {"id": pool["id"]}
    assert api.refused(pools.get_pool, pool=pool["id"]) == (404, 1001)


def test_the_list_tells_health_but_not_of_disabled_pools(api: Any) -> None:
    up, down, off = (api.pool(name) for name in ("up", "down", "off"))
    api(pools.edit_pool, {"enabled": False}, pool=off["id"])
    for pool, healthy in ((up, True), (down, False), (off, True)):
        api.store.set_health(pool["id"], healthy)
    found = {pool["name"]: pool.get("healthy") for pool in api(pools.list_pools)}
    assert found == {"up": True, "down": False, "off": None}
    assert api(pools.pool_health, pool=off["id"])["pop_health"] == {}
    assert api(pools.pool_health, pool=down["id"])["pop_health"][pools.POP]["healthy"] is False


def test_pools_can_be_asked_for_by_their_monitor(api: Any) -> None:
    monitor = api.monitor()
    watched = api.pool("a", monitor=monitor["id"])
    api.pool("b")
    found = api(pools.list_pools, query={"monitor": monitor["id"]})
    assert [pool["id"] for pool in found] == [watched["id"]]
    assert "monitor" not in api(pools.edit_pool, {"monitor": ""}, pool=watched["id"])
    assert api(monitors.delete_monitor, monitor=monitor["id"]) == {"id": monitor["id"]}


def test_patch_on_all_pools_can_reset_the_address_only(api: Any) -> None:
    pool = api.pool(notification_email="ops@example.com")
    assert api.refused(pools.edit_pools, {"enabled": False}) == (400, 1002)
    api(pools.edit_pools, {"notification_email": ""})
    assert api.store.pools[pool["id"]]["notification_email"] == ""
    assert api.store.pools[pool["id"]]["enabled"] is True
