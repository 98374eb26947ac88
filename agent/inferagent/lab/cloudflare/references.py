"""Which objects name which: what is named cannot be deleted, and a name must exist."""

from collections.abc import Iterator

from inferagent.lab.cloudflare.store import Object, Tables

MAPS = ("country_pools", "pop_pools", "region_pools")


def pool_ids(load_balancer: Object) -> set[str]:
    """Every pool that a load balancer names, its rules included."""
    return set(_named(load_balancer))


def load_balancers_of(tables: Tables, pool_id: str) -> list[Object]:
    return [lb for lb in tables.load_balancers.values() if pool_id in pool_ids(lb)]


def pools_of(tables: Tables, monitor_id: str) -> list[Object]:
    return [pool for pool in tables.pools.values() if pool.get("monitor") == monitor_id]


def _named(routing: Object) -> Iterator[str]:
    yield from routing.get("default_pools", [])
    if routing.get("fallback_pool"):
        yield routing["fallback_pool"]
    for key in MAPS:
        for pools in routing.get(key, {}).values():
            yield from pools
    yield from routing.get("random_steering", {}).get("pool_weights", {})
    for rule in routing.get("rules", []):
        yield from _named(rule.get("overrides", {}))
