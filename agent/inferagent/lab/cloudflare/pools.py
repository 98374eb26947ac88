"""Pools: each holds endpoints (the API's `origins`), which a write replaces as a whole."""

from inferagent.lab.cloudflare.calls import Answer, Call, Route, listed, new_id
from inferagent.lab.cloudflare.errors import invalid, not_found, not_unique, referenced
from inferagent.lab.cloudflare.references import load_balancers_of
from inferagent.lab.cloudflare.schema.balancing import PoolCreate, PoolEdit, PoolsEdit, PoolUpdate
from inferagent.lab.cloudflare.store import Object, Tables

WRITE = "Load Balancing: Monitors and Pools Write"
READ = "Load Balancing: Monitors and Pools Read"
POP = "Amsterdam, NL"
DEFAULTS: Object = {
    "description": "",
    "enabled": True,
    "minimum_origins": 1,
    "check_regions": None,
    "notification_email": "",
    "networks": ["cloudflare"],
}
UNSET_WHEN_EMPTY = ("monitor", "monitor_group", "load_shedding", "notification_filter", "health_sources")
READ_ONLY = ("id", "created_on", "networks")


def list_pools(call: Call) -> Answer:
    monitor = call.query.get("monitor")
    found = [p for p in call.tables.pools.values() if monitor is None or p.get("monitor") == monitor]
    return listed([_shown(call, pool) for pool in found])


def get_pool(call: Call) -> Answer:
    return Answer(_shown(call, _pool(call, call.tables)))


def create_pool(call: Call) -> Answer:
    given = call.parsed(PoolCreate).given()
    if len(call.store.pools) >= call.settings.max_pools:
        raise invalid(f"the account is limited to {call.settings.max_pools} pools")
    pool = DEFAULTS | {"id": new_id(), "created_on": call.now()} | given
    return _kept(call, pool, before=None)


def update_pool(call: Call) -> Answer:
    before = _pool(call, call.store.tables)
    given = call.parsed(PoolUpdate).given()
    return _kept(call, DEFAULTS | {key: before[key] for key in READ_ONLY} | given, before)


def edit_pool(call: Call) -> Answer:
    before = _pool(call, call.store.tables)
    return _kept(call, before | call.parsed(PoolEdit).given(), before)


def edit_pools(call: Call) -> Answer:
    """Whatever a caller hopes for, this resets the notification address of every pool and no more."""
    call.parsed(PoolsEdit)
    for pool_id, pool in list(call.store.pools.items()):
        call.store.put("pool", pool_id, pool | {"notification_email": "", "modified_on": call.now()})
    return list_pools(call)


def delete_pool(call: Call) -> Answer:
    pool = _pool(call, call.store.tables)
    users = load_balancers_of(call.store.tables, pool["id"])
    if users:
        raise referenced([f"load balancer {user['name']}" for user in users])
    call.store.remove("pool", pool["id"])
    return Answer({"id": pool["id"]})


def pool_health(call: Call) -> Answer:
    """A disabled pool is not looked at, so nothing is told of it."""
    pool = _pool(call, call.tables)
    seen = call.store.health.get(pool["id"]) if pool["enabled"] else None
    health: Object = {}
    if seen is not None:
        endpoints = [{address: facts} for address, facts in seen["detail"].items()]
        health[POP] = {"healthy": bool(seen["healthy"]), "origins": endpoints}
    return Answer({"pool_id": pool["id"], "pop_health": health})


def pool_references(call: Call) -> Answer:
    pool = _pool(call, call.tables)
    users = load_balancers_of(call.tables, pool["id"])
    return listed([reference("load_balancer", user) for user in users])


def reference(kind: str, user: Object) -> Object:
    return {
        "reference_type": "referrer",
        "resource_id": user["id"],
        "resource_name": user["name"],
        "resource_type": kind,
    }


def _pool(call: Call, tables: Tables) -> Object:
    pool = tables.pools.get(call.params["pool"])
    if pool is None:
        raise not_found("pool")
    return pool


def _kept(call: Call, pool: Object, before: Object | None) -> Answer:
    pool = {key: value for key, value in pool.items() if value or key not in UNSET_WHEN_EMPTY}
    _refuse_conflicts(call, pool)
    _date_disabling(call, pool, before)
    pool["modified_on"] = call.now()
    call.store.put("pool", pool["id"], pool)
    return Answer(_shown(call, pool))


def _refuse_conflicts(call: Call, pool: Object) -> None:
    others = [other for key, other in call.store.pools.items() if key != pool["id"]]
    if any(other["name"] == pool["name"] for other in others):
        raise not_unique(f"pool name {pool['name']}")
    monitor = pool.get("monitor")
    if monitor is not None and monitor not in call.store.monitors:
        raise invalid(f"monitor {monitor} does not exist")
    if ("latitude" in pool) != ("longitude" in pool):
        raise invalid("latitude and longitude go together")
    _refuse_endpoints(call, pool, sum(len(other["origins"]) for other in others))


def _refuse_endpoints(call: Call, pool: Object, elsewhere: int) -> None:
    endpoints, limits = pool["origins"], call.settings
    addresses = [(endpoint["address"], endpoint.get("virtual_network_id")) for endpoint in endpoints]
    if len(set(addresses)) < len(addresses):
        raise invalid("origin addresses must be unique within the pool")
    if len(endpoints) > limits.max_endpoints_per_pool:
        raise invalid(f"the origin list length must be in range [1, {limits.max_endpoints_per_pool}]")
    allowed = limits.max_endpoints_per_account
    if allowed is not None and elsewhere + len(endpoints) > allowed:
        raise invalid(f"the account is limited to {allowed} origins")
    for endpoint in endpoints:
        for host in endpoint.get("header", {}).get("Host", []):
            _refuse_host(host, call.store.zone["name"])


def _refuse_host(host: str, zone: str) -> None:
    label, _, parent = host.partition(".")
    if host != zone and not (label and parent == zone):
        raise invalid(f'Host header "{host}" is not an immediate subdomain of a zone of the account')


def _date_disabling(call: Call, pool: Object, before: Object | None) -> None:
    """`disabled_at` shows only what is disabled, and keeps the moment while it stays so."""
    was = {e["address"]: e.get("disabled_at") for e in before["origins"]} if before else {}
    pool["origins"] = [
        _dated(call, {"enabled": True, "weight": 1.0} | endpoint, was.get(endpoint["address"]))
        for endpoint in pool["origins"]
    ]
    dated = _dated(call, pool, (before or {}).get("disabled_at"))
    pool.clear()
    pool.update(dated)


def _dated(call: Call, thing: Object, was: str | None) -> Object:
    rest = {key: value for key, value in thing.items() if key != "disabled_at"}
    return rest if thing["enabled"] else rest | {"disabled_at": was or call.now()}


def _shown(call: Call, pool: Object) -> Object:
    seen = call.store.health.get(pool["id"])
    if not call.settings.pools_tell_healthy or not pool["enabled"] or seen is None:
        return pool
    return pool | {"healthy": seen["healthy"]}


ALL = "/accounts/{account}/load_balancers/pools"
ONE = ALL + "/{pool}"
ROUTES = [
    Route("GET", ALL, list_pools, (READ, WRITE)),
    Route("POST", ALL, create_pool, (WRITE,)),
    Route("PATCH", ALL, edit_pools, (WRITE,)),
    Route("GET", ONE, get_pool, (READ, WRITE)),
    Route("PUT", ONE, update_pool, (WRITE,)),
    Route("PATCH", ONE, edit_pool, (WRITE,)),
    Route("DELETE", ONE, delete_pool, (WRITE,)),
    Route("GET", ONE + "/health", pool_health, (READ, WRITE)),
    Route("GET", ONE + "/references", pool_references, (READ, WRITE)),
]
