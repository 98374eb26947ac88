from typing import Any

from inferagent.lab.cloudflare.references import load_balancers_of, pool_ids, pools_of


def test_a_load_balancer_names_pools_in_many_places() -> None:
    balancer = {
        "default_pools": ["a"],
        "fallback_pool": "b",
        "region_pools": {"WEU": ["c"]},
        "pop_pools": {"AMS": ["d"]},
        "country_pools": {"NL": ["e"]},
        "random_steering": {"pool_weights": {"f": 0.5}},
        "rules": [{"overrides": {"default_pools": ["g"], "fallback_pool": "h"}}, {"name": "no overrides"}],
    }
    assert pool_ids(balancer) == set("abcdefgh")
    assert pool_ids({"fallback_pool": ""}) == set()


def test_users_are_found(api: Any) -> None:
    monitor = api.monitor()
    watched, other = api.pool("a", monitor=monitor["id"]), api.pool("b")
    balancer = api.load_balancer(watched["id"])
    assert [b["id"] for b in load_balancers_of(api.store.tables, watched["id"])] == [balancer["id"]]
    assert load_balancers_of(api.store.tables, other["id"]) == []
    assert [p["id"] for p in pools_of(api.store.tables, monitor["id"])] == [watched["id"]]
