"""The monitor and the pools that setup wants: own or shared, and the fallback pool."""

from inferagent.adapters.cloudflare.identity import MARK, Promise, describe
from inferagent.model.membership import MembershipKind
from inferagent.programs.setup.objects import Ids, Wanted, differing
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.session import Object, Where

READY_PATH = "/.inferagent/ready"
INTERVAL_S = 60
UNKNOWN = "(not made yet)"


def pools_path(account: str) -> str:
    return f"/accounts/{account}/load_balancers/pools"


def monitors_path(account: str) -> str:
    return f"/accounts/{account}/load_balancers/monitors"


def monitor(request: SetupRequest, account: str) -> Wanted:
    """One monitor for all hosts behind the public hostname; each pool's own Host header beats its header."""
    description = f"{MARK} ready {request.public}"

    def make(_ids: Ids) -> Object:
        interval = request.monitor_interval or INTERVAL_S
        return {
            "description": description,
            "type": "https",
            "method": "GET",
            "path": READY_PATH,
            "port": 443,
            "header": {"Host": [request.public]},
            "expected_codes": "200",
            "allow_insecure": False,
            "follow_redirects": False,
            **_pace(interval),
        }

    def change(existing: Object, ids: Ids) -> Object:
        kept = request.monitor_interval or existing.get("interval", INTERVAL_S)
        return differing(existing, {**make(ids), **_pace(kept)})

    where = Where(monitors_path(account), {"description": description})
    return Wanted("monitor", "monitor", f"monitor of {request.public}", where, make, change, lambda _: {})


def _pace(interval: int) -> Object:
    """All tries of one look end before the next look."""
    timeout = max(1, min(5, interval // 4))
    return {"interval": interval, "timeout": timeout, "retries": 2 if interval > 3 * timeout else 0}


def endpoint(request: SetupRequest, ids: Ids) -> Object:
    """This host's tunnel as an endpoint. Its Host header is what the tunnel's ingress matches."""
    return {
        "name": request.host,
        "address": f"{ids.get('tunnel', UNKNOWN)}.cfargotunnel.com",
        "enabled": True,
        "header": {"Host": [request.own_hostname]},
    }


def own_pool(request: SetupRequest, account: str, machine: str) -> Wanted:
    """A pool of one endpoint, made disabled: the agent alone enables it."""
    description = describe(Promise(machine, request.models))

    def make(ids: Ids) -> Object:
        return {
            "name": request.pool_name,
            "description": description,
            "enabled": False,
            "minimum_origins": 1,
            "monitor": ids.get("monitor", UNKNOWN),
            "origins": [endpoint(request, ids)],
        }

    def change(existing: Object, ids: Ids) -> Object:
        fields = {"description": description, "monitor": ids.get("monitor", UNKNOWN)}
        entries = existing.get("origins") or []
        wanted = _routed(entries[0] if entries else {}, endpoint(request, ids))
        if [writable(entry) for entry in entries] != [wanted]:
            return {**differing(existing, fields), "origins": [wanted]}
        return differing(existing, fields)

    where = Where(pools_path(account), {"name": request.pool_name})
    return Wanted("pool", "pool", f"pool {request.pool_name}", where, make, change, None, ", disabled")


def shared_pool(request: SetupRequest, account: str) -> Wanted:
    """The pool of all hosts whose membership the monitor decides."""
    description = describe(Promise("", request.models))
    weight = {} if request.weight is None else {"weight": request.weight / 100}

    def make(ids: Ids) -> Object:
        return {
            "name": request.pool_name,
            "description": description,
            "enabled": True,
            "minimum_origins": 1,
            "monitor": ids.get("monitor", UNKNOWN),
            "origins": [{**endpoint(request, ids), **weight}],
        }

    def change(existing: Object, ids: Ids) -> Object:
        fields = {"description": description, "monitor": ids.get("monitor", UNKNOWN)}
        return {**differing(existing, fields), **_joined(existing, {**endpoint(request, ids), **weight})}

    def parts(ids: Ids) -> Object:
        return {"origins": make(ids)["origins"]}

    where = Where(pools_path(account), {"name": request.pool_name})
    return Wanted("shared pool", "pool", f"pool {request.pool_name}", where, make, change, parts)


def fallback_pool(request: SetupRequest, account: str) -> Wanted:
    """Every host, no monitor, never disabled: what answers when no host is in the pool."""

    def make(ids: Ids) -> Object:
        return {
            "name": request.fallback_name,
            "description": f"{MARK} fallback of {request.public}",
            "enabled": True,
            "minimum_origins": 1,
            "origins": [endpoint(request, ids)],
        }

    def change(existing: Object, ids: Ids) -> Object:
        enabled = {} if existing.get("enabled") is not False else {"enabled": True}
        return {**enabled, **_joined(existing, endpoint(request, ids))}

    def parts(ids: Ids) -> Object:
        return {"origins": [endpoint(request, ids)]}

    where = Where(pools_path(account), {"name": request.fallback_name})
    title = f"fallback pool {request.fallback_name}"
    return Wanted("fallback pool", "fallback", title, where, make, change, parts, ", never disabled")


def writable(entry: Object) -> Object:
    """An endpoint without what the API alone may say."""
    return {key: value for key, value in entry.items() if key != "disabled_at"}


def _routed(entry: Object, wanted: Object) -> Object:
    """An existing endpoint led to this host's tunnel; whether it is enabled is not setup's to change."""
    return {**wanted, **writable(entry), "address": wanted["address"], "header": wanted["header"]}


def _joined(existing: Object, wanted: Object) -> Object:
    """The list of endpoints with this host in it; an earlier tunnel of the same host is replaced."""
    entries = [writable(entry) for entry in existing.get("origins") or []]
    mine = [e for e in entries if wanted["address"] == e.get("address") or wanted["name"] == e.get("name")]
    if len(mine) == 1 and mine[0] == {**mine[0], **_lasting(wanted)}:
        return {}
    others = [entry for entry in entries if entry not in mine]
    return {"origins": [*others, {**(mine[0] if mine else {}), **wanted}]}


def _lasting(wanted: Object) -> Object:
    return {key: value for key, value in wanted.items() if key not in {"enabled", "name"}}


def pools_to_make(request: SetupRequest, names: set[str]) -> int:
    """How many pools of the account's limit this setup would take."""
    if request.membership is MembershipKind.REPLICA:
        return 0
    return len({request.pool_name, request.fallback_name} - names)
