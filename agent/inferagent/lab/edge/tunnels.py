"""Where connectors come in: the TLS listener, the book of registered connections, and what befalls them."""

import asyncio
import base64
import hmac
import random
import socket
import ssl
from typing import Any, Literal

from inferagent.lab.cloudflare.clock import stamp
from inferagent.lab.cloudflare.store import Store
from inferagent.lab.edge.connection import PLACE, Identity, TunnelConnection
from inferagent.lab.edge.counters import Counters
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.lab.wire.link import Link

State = Literal["up", "refuse", "hang"]
UNAUTHORIZED = "Unauthorized: Invalid tunnel secret"


class Tunnels:
    """Reads tunnels and configurations from the store; writes connections into it."""

    def __init__(
        self,
        store: Store,
        settings: EdgeSettings,
        counters: Counters,
        context: ssl.SSLContext,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.store, self.settings, self.counters = store, settings, counters
        self.state: State = "up"
        self.dead: set[str] = set()
        self.port = settings.tunnel_port
        self._context, self._tasks = context, tasks
        self._random = random.Random(f"replica {settings.seed}")
        self._serving: dict[str, list[TunnelConnection]] = {}
        self._links: set[Link] = set()
        self._turn = 0
        self._servers: list[asyncio.Server] = []

    async def listen(self) -> None:
        sockets = _bind(self.settings.addresses, self.port)
        self.port = sockets[0].getsockname()[1]
        self._servers = [
            await asyncio.get_running_loop().create_server(
                self._protocol, sock=sock, ssl=self._context, ssl_shutdown_timeout=1.0
            )
            for sock in sockets
        ]

    @property
    def edge_addresses(self) -> list[str]:
        return [f"{address}:{self.port}" for address in self.settings.addresses]

    def close(self) -> None:
        for server in self._servers:
            server.close()
        for link in list(self._links):
            link.abort()

    async def set_state(self, state: State) -> None:
        """`up`; `refuse`: connections cut, nothing listens; `hang`: connections cut, new ones get no word."""
        was, self.state = self.state, state
        if state == was:
            return
        for link in list(self._links):
            link.abort()
        if state == "refuse":
            for server in self._servers:
                server.close()
        elif was == "refuse":
            await self.listen()

    def drop(self, tunnel_id: str, client_id: str | None = None) -> None:
        """Cut a tunnel's connections: those of one connector, or all."""
        for connection in self.connections(tunnel_id):
            if client_id is None or (connection.identity and connection.identity.client_id == client_id):
                connection.link.abort()

    def pick(self, tunnel_id: str) -> TunnelConnection | None:
        """The connection for the next request: the nearest replica's (the one registered first), by turns."""
        serving = self._serving.get(tunnel_id)
        if not serving or tunnel_id in self.dead:
            return None
        nearest = serving[0].identity
        client = nearest.client_id if nearest else ""
        mine = [c for c in serving if c.identity and c.identity.client_id == client]
        others = [c for c in serving if c not in mine]
        if others and self._random.random() < self.settings.spread:
            return self._random.choice(others)
        self._turn += 1
        return mine[self._turn % len(mine)]

    def register(self, connection: TunnelConnection, who: Identity, account: str, secret: bytes) -> str:
        """Enter a connection into the book; gives the cause of refusal, or nothing."""
        tunnel = self.store.tunnels.get(who.tunnel_id)
        known = tunnel is not None and not tunnel.get("deleted_at") and tunnel.get("account_tag") == account
        expected = base64.b64decode(str((tunnel or {}).get("tunnel_secret", "")))
        if not known or not expected or not hmac.compare_digest(expected, secret):
            self.counters.refused[who.tunnel_id] += 1
            return UNAUTHORIZED
        serving = self._serving.setdefault(who.tunnel_id, [])
        for old in [c for c in serving if c.identity and _slot(c.identity) == _slot(who)]:
            old.leave()
        connection.identity, connection.opened_at = who, stamp(self.store.now())
        serving.append(connection)
        self.counters.registered[who.tunnel_id] += 1
        self._publish(who.tunnel_id)
        self._push_to(connection, self.store.tunnel_configurations.get(who.tunnel_id))
        return ""

    def forget(self, connection: TunnelConnection) -> None:
        who = connection.identity
        serving = self._serving.get(who.tunnel_id, []) if who else []
        if who and connection in serving:
            serving.remove(connection)
            self._publish(who.tunnel_id)

    def changed(self, kind: str, object_id: str, new: dict[str, Any] | None) -> None:
        """What the account's API applied, as the store tells it."""
        if kind == "tunnel_configuration":
            for connection in self._serving.get(object_id, []):
                self._push_to(connection, new)
        if kind == "tunnel_connections":
            self.drop(object_id, (new or {}).get("client_id"))
        if kind == "tunnel" and (new is None or new.get("deleted_at")):
            self.drop(object_id)

    def connections(self, tunnel_id: str) -> list[TunnelConnection]:
        return list(self._serving.get(tunnel_id, []))

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        return {
            tunnel: [_api_shape(c) | {"in_use": c.in_use, "config_answer": c.config_answer} for c in serving]
            for tunnel, serving in self._serving.items()
        }

    def _protocol(self) -> Link:
        return Link(client=True, on_open=self._opened, on_lost=self._lost)

    def _opened(self, link: Link) -> None:
        self._links.add(link)
        if self.state == "up":
            self._tasks.create_task(TunnelConnection(link, self).run())

    def _lost(self, link: Link) -> None:
        self._links.discard(link)
        for serving in self._serving.values():
            for connection in [c for c in serving if c.link is link]:
                connection.leave()

    def _push_to(self, connection: TunnelConnection, stored: dict[str, Any] | None) -> None:
        if stored and stored.get("config"):
            self._tasks.create_task(connection.push(int(stored.get("version", 0)), stored["config"]))

    def _publish(self, tunnel_id: str) -> None:
        self.store.set_connections(tunnel_id, [_api_shape(c) for c in self._serving.get(tunnel_id, [])])


def _slot(who: Identity) -> tuple[str, int]:
    return who.client_id, who.index


def _api_shape(connection: TunnelConnection) -> dict[str, Any]:
    who = connection.identity
    return {
        "id": connection.id,
        "uuid": connection.id,
        "client_id": who.client_id if who else "",
        "client_version": who.version if who else "",
        "arch": who.arch if who else "",
        "features": list(who.features) if who else [],
        "colo_name": PLACE,
        "is_pending_reconnect": False,
        "opened_at": connection.opened_at,
        "origin_ip": connection.link.peer,
    }


def _bind(addresses: tuple[str, ...], port: int) -> list[socket.socket]:
    """One listening socket for each address, all at one port (0: any that is free on all)."""
    for _ in range(20):
        bound: list[socket.socket] = []
        try:
            for address in addresses:
                sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                bound.append(sock)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((address, port or (bound[0].getsockname()[1] if len(bound) > 1 else 0)))
        except OSError:
            for sock in bound:
                sock.close()
            if port:
                raise
            continue
        return bound
    raise OSError("cannot find a port that is free on every address of the tunnel listener")
