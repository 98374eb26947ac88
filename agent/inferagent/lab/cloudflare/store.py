"""What the stand-in account holds: API-shaped objects, who wrote what, and who wants to hear of it.

Everything is synchronous and belongs to one event loop. Objects are replaced, never changed in
place, so a reader may keep what it got.
"""

import base64
import copy
import json
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from inferagent.lab.cloudflare.clock import stamp

Object = dict[str, Any]
Listener = Callable[[str, str, Object | None], None]

ACCOUNT_ID = "a0c1" * 8
ZONE_ID = "20e1" * 8
KEPT_S = 900.0
WHOLE_CONNECTOR = 4
LIVE_KEYS = ("status", "conns_active_at", "conns_inactive_at")


@dataclass(frozen=True, slots=True)
class Token:
    """One API token: its value is the key of `Store.tokens`. Permissions are names of permission groups."""

    id: str
    permissions: frozenset[str]
    status: str = "active"
    user: str = "user-1"
    account_owned: bool = False
    expires_on: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """One applied write. `token` is the token's id, never its value."""

    time: float
    token: str
    method: str
    path: str
    body: Any


@dataclass(slots=True)
class Tables:
    """The configured objects by id. `tunnels` carry `tunnel_secret` (base64), which no answer shows."""

    pools: dict[str, Object] = field(default_factory=dict)
    monitors: dict[str, Object] = field(default_factory=dict)
    load_balancers: dict[str, Object] = field(default_factory=dict)
    tunnels: dict[str, Object] = field(default_factory=dict)
    tunnel_configurations: dict[str, Object] = field(default_factory=dict)
    dns_records: dict[str, Object] = field(default_factory=dict)


TABLE_OF = {
    "pool": "pools",
    "monitor": "monitors",
    "load_balancer": "load_balancers",
    "tunnel": "tunnels",
    "tunnel_configuration": "tunnel_configurations",
    "dns_record": "dns_records",
}


class Store:
    """The account, its one zone, and what is in them.

    Kinds given to listeners: those of TABLE_OF, and `tunnel_connections`: drop that tunnel's
    connections, those of {"client_id": ...} or, where that is None, all.
    """

    def __init__(
        self,
        account_id: str = ACCOUNT_ID,
        zone_id: str = ZONE_ID,
        zone_name: str = "example.com",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.now = now
        self.account: Object = {"id": account_id, "name": "lab"}
        self.zone: Object = {"id": zone_id, "name": zone_name}
        self.tables = Tables()
        self.health: dict[str, Object] = {}
        self.connections: dict[str, list[Object]] = {}
        self.deleted_tunnels: dict[str, Object] = {}
        self.tokens: dict[str, Token] = {}
        self.writes: list[Write] = []
        self._listeners: list[Listener] = []
        self._past: deque[tuple[float, str, str, Object | None]] = deque()

    @property
    def pools(self) -> dict[str, Object]:
        return self.tables.pools

    @property
    def monitors(self) -> dict[str, Object]:
        return self.tables.monitors

    @property
    def load_balancers(self) -> dict[str, Object]:
        return self.tables.load_balancers

    @property
    def tunnels(self) -> dict[str, Object]:
        return self.tables.tunnels

    @property
    def tunnel_configurations(self) -> dict[str, Object]:
        """By tunnel id: {"version": int, "config": {"ingress": [...], ...}, ...}."""
        return self.tables.tunnel_configurations

    @property
    def dns_records(self) -> dict[str, Object]:
        return self.tables.dns_records

    def subscribe(self, listener: Listener) -> None:
        """Call `listener(kind, id, new object or None)` at every applied change, in the order applied."""
        self._listeners.append(listener)

    def put(self, kind: str, object_id: str, new: Object) -> None:
        """Apply a whole object and tell the listeners. A copy is kept."""
        self._apply(kind, object_id, copy.deepcopy(new))

    def remove(self, kind: str, object_id: str) -> None:
        self._apply(kind, object_id, None)

    def drop_connections(self, tunnel_id: str, client_id: str | None = None) -> None:
        """Ask the edge to drop a tunnel's connections, of one connector or of all."""
        self._tell("tunnel_connections", tunnel_id, {"client_id": client_id})

    def add_token(
        self,
        value: str,
        permissions: Iterable[str],
        status: str = "active",
        user: str = "user-1",
        account_owned: bool = False,
        expires_on: str = "",
    ) -> Token:
        token = Token(uuid.uuid4().hex, frozenset(permissions), status, user, account_owned, expires_on)
        self.tokens[value] = token
        return token

    def tunnel_token(self, tunnel_id: str) -> str:
        """What `cloudflared tunnel run --token` takes: base64 of {"a": account, "t": tunnel, "s": secret}."""
        tunnel = self.tunnels[tunnel_id]
        parts = {"a": tunnel["account_tag"], "t": tunnel_id, "s": tunnel["tunnel_secret"]}
        return base64.b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()

    def set_health(self, pool_id: str, healthy: bool | None, detail: Object | None = None) -> None:
        """What the monitor found; None is unknown. `detail`: address to
        {"healthy", "rtt", "failure_reason", "response_code"}. Forgotten when the pool's `enabled` changes."""
        self.health[pool_id] = {"healthy": healthy, "detail": copy.deepcopy(detail or {})}

    def set_connections(self, tunnel_id: str, connections: list[Object]) -> None:
        """The live connections of a tunnel, one dict each; its status follows from them.

        Keys: id, client_id, client_version, colo_name, is_pending_reconnect, opened_at, origin_ip;
        of its connector, if known: arch, features, config_version, run_at.
        """
        tunnel = self.tunnels.get(tunnel_id)
        if tunnel is None:
            return
        was = bool(self.connections.get(tunnel_id))
        self.connections[tunnel_id] = copy.deepcopy(connections)
        changed = dict(tunnel)
        if connections:
            changed["status"] = "healthy" if len(connections) >= WHOLE_CONNECTOR else "degraded"
            changed["conns_active_at"] = tunnel["conns_active_at"] if was else stamp(self.now())
            changed["conns_inactive_at"] = None
        elif was:
            changed |= {"status": "down", "conns_active_at": None, "conns_inactive_at": stamp(self.now())}
        self.tables.tunnels[tunnel_id] = changed

    def record(self, token: str, method: str, path: str, body: Any) -> None:
        self.writes.append(Write(self.now(), token, method, path, copy.deepcopy(body)))

    def writes_to(self, method: str, path_part: str) -> list[Write]:
        return [w for w in self.writes if w.method == method and path_part in w.path]

    def as_of(self, moment: float) -> Tables:
        """The tables as they stood at `moment` (same clock as `now`); at most 15 minutes back."""
        old = Tables(**{name: dict(getattr(self.tables, name)) for name in TABLE_OF.values()})
        for when, kind, object_id, before in reversed(self._past):
            if when <= moment:
                break
            table = getattr(old, TABLE_OF[kind])
            table.pop(object_id, None)
            if before is not None:
                table[object_id] = before
        return old

    def snapshot(self, live: bool = True) -> Object:
        """A deep copy of the account. `live=False` leaves out what moves without any write: health,
        connections, the tunnels' status. Journal, tokens and deleted tunnels are never in it."""
        taken: Object = copy.deepcopy(asdict(self.tables))
        if not live:
            for tunnel in taken["tunnels"].values():
                for key in LIVE_KEYS:
                    del tunnel[key]
            return taken
        return taken | copy.deepcopy({"health": self.health, "connections": self.connections})

    def _apply(self, kind: str, object_id: str, new: Object | None) -> None:
        table: dict[str, Object] = getattr(self.tables, TABLE_OF[kind])
        self._past.append((self.now(), kind, object_id, table.get(object_id)))
        while self._past and self._past[0][0] < self.now() - KEPT_S:
            self._past.popleft()
        if kind == "pool" and (new or {}).get("enabled") != (table.get(object_id) or {}).get("enabled"):
            self.health.pop(object_id, None)
        if new is None:
            table.pop(object_id, None)
        else:
            table[object_id] = new
        self._tell(kind, object_id, new)

    def _tell(self, kind: str, object_id: str, new: Object | None) -> None:
        for listener in list(self._listeners):
            listener(kind, object_id, copy.deepcopy(new))
