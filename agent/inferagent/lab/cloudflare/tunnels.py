"""Tunnels with their tokens, configurations and connections."""

import base64
import secrets
import uuid
from typing import Any

from inferagent.lab.cloudflare.calls import Answer, Call, Route, listed, paged
from inferagent.lab.cloudflare.errors import ApiError, not_found
from inferagent.lab.cloudflare.schema.tunnels import SECRET_BYTES, ConfigurationPut, TunnelCreate, TunnelEdit
from inferagent.lab.cloudflare.store import Object, Tables

WRITE = "Cloudflare Tunnel Write"
READ = "Cloudflare Tunnel Read"
PER_PAGE = 100
OF_CONNECTOR = ("arch", "features", "config_version", "run_at")


def list_tunnels(call: Call) -> Answer:
    """Deleted tunnels are listed too, unless `is_deleted=false` is asked for."""
    every = [*call.tables.tunnels.values(), *call.store.deleted_tunnels.values()]
    return paged(call, [_shown(tunnel) for tunnel in every if _wanted(call, tunnel)], PER_PAGE)


def get_tunnel(call: Call) -> Answer:
    deleted = call.store.deleted_tunnels.get(call.params["tunnel"])
    return Answer(_shown(deleted or _tunnel(call, call.tables)))


def create_tunnel(call: Call) -> Answer:
    given = call.parsed(TunnelCreate).given()
    _refuse_name(call, given["name"])
    source = given.get("config_src", "local")
    secret = given.get("tunnel_secret") or base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    tunnel = {
        "id": str(uuid.uuid4()),
        "account_tag": call.store.account["id"],
        "config_src": source,
        "conns_active_at": None,
        "conns_inactive_at": call.now(),
        "created_at": call.now(),
        "deleted_at": None,
        "metadata": {},
        "name": given["name"],
        "remote_config": source == "cloudflare",
        "status": "inactive",
        "tun_type": "cfd_tunnel",
        "tunnel_secret": secret,
    }
    call.store.put("tunnel", tunnel["id"], tunnel)
    return Answer(_shown(tunnel) | {"token": call.store.tunnel_token(tunnel["id"])})


def edit_tunnel(call: Call) -> Answer:
    before = _tunnel(call, call.store.tables)
    given = call.parsed(TunnelEdit).given()
    if given.get("name", before["name"]) != before["name"]:
        _refuse_name(call, given["name"])
    tunnel = before | given
    call.store.put("tunnel", tunnel["id"], tunnel)
    return Answer(_shown(tunnel))


def delete_tunnel(call: Call) -> Answer:
    tunnel = _tunnel(call, call.store.tables)
    key = tunnel["id"]
    if any(not c.get("is_pending_reconnect") for c in call.store.connections.get(key, [])):
        raise ApiError(400, 1022, "the tunnel has active connections: clean them up first")
    call.store.remove("tunnel_configuration", key)
    call.store.remove("tunnel", key)
    call.store.connections.pop(key, None)
    gone = tunnel | {"deleted_at": call.now()}
    call.store.deleted_tunnels[key] = gone
    return Answer(_shown(gone))


def tunnel_token(call: Call) -> Answer:
    return Answer(call.store.tunnel_token(_tunnel(call, call.store.tables)["id"]))


def get_configuration(call: Call) -> Answer:
    tunnel = _tunnel(call, call.tables)
    kept = call.tables.tunnel_configurations.get(tunnel["id"])
    return Answer(kept or _configuration(tunnel, 0, None))


def put_configuration(call: Call) -> Answer:
    tunnel = _tunnel(call, call.store.tables)
    config = call.parsed(ConfigurationPut).given()["config"]
    *before, last = config["ingress"]
    if not tunnel["remote_config"]:
        raise ApiError(
            400, 1056, "bad configuration: the tunnel is configured on its host (config_src local)"
        )
    if last.get("path") or last.get("hostname", "") not in ("", "*"):
        raise ApiError(400, 1056, "bad configuration: the last ingress rule must match every request")
    if any(not (rule.get("path") or rule.get("hostname")) for rule in before):
        raise ApiError(400, 1056, "bad configuration: only the last ingress rule may match every request")
    kept = call.store.tunnel_configurations.get(tunnel["id"])
    new = _configuration(tunnel, (kept["version"] if kept else 0) + 1, config) | {"created_at": call.now()}
    call.store.put("tunnel_configuration", tunnel["id"], new)
    return Answer(new)


def list_connections(call: Call) -> Answer:
    """One entry a connector, its connections inside."""
    tunnel = _tunnel(call, call.tables)
    connectors: dict[str, Object] = {}
    for connection in call.store.connections.get(tunnel["id"], []):
        client = connection.get("client_id", "")
        about = {key: connection[key] for key in OF_CONNECTOR if key in connection}
        version = connection.get("client_version", "")
        entry = connectors.setdefault(client, {"id": client, "version": version, "conns": []} | about)
        entry["conns"].append({k: v for k, v in connection.items() if k not in OF_CONNECTOR})
    return listed(list(connectors.values()))


def delete_connections(call: Call) -> Answer:
    tunnel = _tunnel(call, call.store.tables)
    call.store.drop_connections(tunnel["id"], call.query.get("client_id"))
    return Answer({})


def _configuration(tunnel: Object, version: int, config: Any) -> Object:
    return {
        "account_id": tunnel["account_tag"],
        "tunnel_id": tunnel["id"],
        "version": version,
        "config": config,
        "source": tunnel["config_src"],
        "created_at": tunnel["created_at"],
    }


def _tunnel(call: Call, tables: Tables) -> Object:
    tunnel = tables.tunnels.get(call.params["tunnel"])
    if tunnel is None:
        raise not_found("tunnel")
    return tunnel


def _refuse_name(call: Call, name: str) -> None:
    if any(tunnel["name"] == name for tunnel in call.store.tunnels.values()):
        raise ApiError(409, 1013, f"a tunnel named {name} exists already")


def _wanted(call: Call, tunnel: Object) -> bool:
    ask = call.query
    gone = "true" if tunnel["deleted_at"] else "false"
    return (
        ask.get("is_deleted", gone) == gone
        and ask.get("name", tunnel["name"]) == tunnel["name"]
        and ask.get("uuid", tunnel["id"]) == tunnel["id"]
        and ask.get("status", tunnel["status"]) == tunnel["status"]
        and tunnel["name"].startswith(ask.get("include_prefix", ""))
        and not ("exclude_prefix" in ask and tunnel["name"].startswith(ask["exclude_prefix"]))
    )


def _shown(tunnel: Object) -> Object:
    return {key: value for key, value in tunnel.items() if key != "tunnel_secret"}


ALL = "/accounts/{account}/cfd_tunnel"
ONE = ALL + "/{tunnel}"
ROUTES = [
    Route("GET", ALL, list_tunnels, (READ, WRITE)),
    Route("POST", ALL, create_tunnel, (WRITE,)),
    Route("GET", ONE, get_tunnel, (READ, WRITE)),
    Route("PATCH", ONE, edit_tunnel, (WRITE,)),
    Route("DELETE", ONE, delete_tunnel, (WRITE,)),
    Route("GET", ONE + "/token", tunnel_token, (WRITE,)),
    Route("GET", ONE + "/configurations", get_configuration, (READ, WRITE)),
    Route("PUT", ONE + "/configurations", put_configuration, (WRITE,)),
    Route("GET", ONE + "/connections", list_connections, (READ, WRITE)),
    Route("DELETE", ONE + "/connections", delete_connections, (WRITE,)),
]
