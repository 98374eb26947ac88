"""Monitors: how the edge looks at the endpoints of a pool."""

from inferagent.lab.cloudflare.calls import Answer, Call, Route, listed, new_id
from inferagent.lab.cloudflare.errors import invalid, not_found, referenced
from inferagent.lab.cloudflare.pools import READ, WRITE, reference
from inferagent.lab.cloudflare.references import pools_of
from inferagent.lab.cloudflare.schema.balancing import MonitorBody
from inferagent.lab.cloudflare.store import Object, Tables

DEFAULTS: Object = MonitorBody().model_dump()


def list_monitors(call: Call) -> Answer:
    return listed(list(call.tables.monitors.values()))


def get_monitor(call: Call) -> Answer:
    return Answer(_monitor(call, call.tables))


def create_monitor(call: Call) -> Answer:
    fresh = {"id": new_id(), "created_on": call.now()}
    return _kept(call, DEFAULTS | fresh | call.parsed(MonitorBody).given())


def update_monitor(call: Call) -> Answer:
    before = _monitor(call, call.store.tables)
    given = call.parsed(MonitorBody).given()
    return _kept(call, DEFAULTS | {key: before[key] for key in ("id", "created_on")} | given)


def edit_monitor(call: Call) -> Answer:
    return _kept(call, _monitor(call, call.store.tables) | call.parsed(MonitorBody).given())


def delete_monitor(call: Call) -> Answer:
    monitor = _monitor(call, call.store.tables)
    users = pools_of(call.store.tables, monitor["id"])
    if users:
        raise referenced([f"pool {user['name']}" for user in users])
    call.store.remove("monitor", monitor["id"])
    return Answer({"id": monitor["id"]})


def monitor_references(call: Call) -> Answer:
    monitor = _monitor(call, call.tables)
    return listed([reference("pool", user) for user in pools_of(call.tables, monitor["id"])])


def _monitor(call: Call, tables: Tables) -> Object:
    monitor = tables.monitors.get(call.params["monitor"])
    if monitor is None:
        raise not_found("monitor")
    return monitor


def _kept(call: Call, monitor: Object) -> Answer:
    low, high = call.settings.monitor_interval_min, call.settings.monitor_interval_max
    if not low <= monitor["interval"] <= high:
        raise invalid(f"interval is not in range [{low}, {high}]")
    monitor = monitor | {"modified_on": call.now()}
    call.store.put("monitor", monitor["id"], monitor)
    return Answer(monitor)


ALL = "/accounts/{account}/load_balancers/monitors"
ONE = ALL + "/{monitor}"
ROUTES = [
    Route("GET", ALL, list_monitors, (READ, WRITE)),
    Route("POST", ALL, create_monitor, (WRITE,)),
    Route("GET", ONE, get_monitor, (READ, WRITE)),
    Route("PUT", ONE, update_monitor, (WRITE,)),
    Route("PATCH", ONE, edit_monitor, (WRITE,)),
    Route("DELETE", ONE, delete_monitor, (WRITE,)),
    Route("GET", ONE + "/references", monitor_references, (READ, WRITE)),
]
