"""Load balancers: a hostname of the zone and the pools behind it."""

from inferagent.lab.cloudflare.calls import Answer, Call, Route, listed, new_id
from inferagent.lab.cloudflare.errors import invalid, not_found, not_unique
from inferagent.lab.cloudflare.references import pool_ids
from inferagent.lab.cloudflare.schema.balancing import LoadBalancerEdit, LoadBalancerPut
from inferagent.lab.cloudflare.store import Object, Tables

WRITE = "Load Balancers Write"
READ = "Load Balancers Read"
READ_ONLY = ("id", "created_on", "zone_name")
DEFAULTS: Object = {
    "adaptive_routing": {"failover_across_pools": False},
    "description": "",
    "enabled": True,
    "location_strategy": {"mode": "pop", "prefer_ecs": "proximity"},
    "networks": ["cloudflare"],
    "proxied": False,
    "session_affinity": "none",
    "steering_policy": "off",
    "ttl": 30,
}


def list_load_balancers(call: Call) -> Answer:
    return listed(list(call.tables.load_balancers.values()))


def get_load_balancer(call: Call) -> Answer:
    return Answer(_load_balancer(call, call.tables))


def create_load_balancer(call: Call) -> Answer:
    given = call.parsed(LoadBalancerPut).given()
    if len(call.store.load_balancers) >= call.settings.max_load_balancers:
        raise invalid(f"the account is limited to {call.settings.max_load_balancers} load balancers")
    fresh = {"id": new_id(), "created_on": call.now(), "zone_name": call.store.zone["name"]}
    return _kept(call, DEFAULTS | fresh | given)


def update_load_balancer(call: Call) -> Answer:
    before = _load_balancer(call, call.store.tables)
    given = call.parsed(LoadBalancerPut).given()
    return _kept(call, DEFAULTS | {key: before[key] for key in READ_ONLY} | given)


def edit_load_balancer(call: Call) -> Answer:
    before = _load_balancer(call, call.store.tables)
    return _kept(call, before | call.parsed(LoadBalancerEdit).given())


def delete_load_balancer(call: Call) -> Answer:
    found = _load_balancer(call, call.store.tables)
    call.store.remove("load_balancer", found["id"])
    return Answer({"id": found["id"]})


def _load_balancer(call: Call, tables: Tables) -> Object:
    found = tables.load_balancers.get(call.params["load_balancer"])
    if found is None:
        raise not_found("load balancer")
    return found


def _kept(call: Call, wanted: Object) -> Answer:
    store = call.store
    zone = store.zone["name"]
    if wanted["name"] != zone and not wanted["name"].endswith(f".{zone}"):
        raise invalid(f"name {wanted['name']} is not in zone {zone}")
    others = [other for key, other in store.load_balancers.items() if key != wanted["id"]]
    if any(other["name"] == wanted["name"] for other in others):
        raise not_unique(f"load balancer name {wanted['name']}")
    missing = sorted(pool_ids(wanted) - set(store.pools))
    if missing:
        raise invalid(f"pool {missing[0]} does not exist")
    if wanted["steering_policy"] not in call.settings.steering_policies:
        raise invalid(f"steering_policy {wanted['steering_policy']} is not enabled for this account")
    wanted = wanted | {"modified_on": call.now()}
    store.put("load_balancer", wanted["id"], wanted)
    return Answer(wanted)


ALL = "/zones/{zone}/load_balancers"
ONE = ALL + "/{load_balancer}"
ROUTES = [
    Route("GET", ALL, list_load_balancers, (READ, WRITE)),
    Route("POST", ALL, create_load_balancer, (WRITE,)),
    Route("GET", ONE, get_load_balancer, (READ, WRITE)),
    Route("PUT", ONE, update_load_balancer, (WRITE,)),
    Route("PATCH", ONE, edit_load_balancer, (WRITE,)),
    Route("DELETE", ONE, delete_load_balancer, (WRITE,)),
]
