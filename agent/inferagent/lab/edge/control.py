"""The edge's handle: ports, counters, and the faults that a story or a test asks for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferagent.lab.edge.counters import Counters
from inferagent.lab.edge.datagrams import Datagrams
from inferagent.lab.edge.door import Access
from inferagent.lab.edge.health import Health
from inferagent.lab.edge.monitors import Monitors
from inferagent.lab.edge.nameserver import NameServer
from inferagent.lab.edge.public import PublicSide
from inferagent.lab.edge.router import Router
from inferagent.lab.edge.steering import pool_is_up
from inferagent.lab.edge.tunnels import Tunnels
from inferagent.lab.edge.view import View


class BadCommandError(ValueError):
    """A control command that cannot be understood."""


@dataclass(slots=True)
class Edge:
    tunnels: Tunnels
    public: PublicSide
    monitors: Monitors
    router: Router
    view: View
    health: Health
    counters: Counters
    ca_path: Path
    datagrams: Datagrams
    names: NameServer
    closed: bool = False

    @property
    def tunnel_port(self) -> int:
        return self.tunnels.port

    @property
    def public_port(self) -> int:
        return self.public.port

    @property
    def addresses(self) -> list[str]:
        """What to give a connector as `--edge`, once each; or with commas between in TUNNEL_EDGE."""
        return self.tunnels.edge_addresses

    def changed(self, kind: str, object_id: str, new: dict[str, Any] | None) -> None:
        """The store's listener."""
        if self.closed:
            return
        self.tunnels.changed(kind, object_id, new)
        self.view.changed(kind, object_id, new)

    def status(self) -> dict[str, Any]:
        return {
            "state": self.tunnels.state,
            "dead": sorted(self.tunnels.dead),
            "lag": list(self.view.lag),
            "cache_s": self.router.cache_s,
            "monitors_paused": self.monitors.paused,
            "faults": dict(self.public.faults),
            "tunnels": self.tunnels.as_json(),
            "routed": {pool_id: self._routes_to(pool) for pool_id, pool in self.view.pools.items()},
            "counters": self.counters.as_json(),
        }

    def _routes_to(self, pool: dict[str, Any]) -> bool:
        """Whether a request may go there now, by what has arrived at the edge: enabled, and healthy."""
        return bool(pool.get("enabled", True)) and pool_is_up(pool, self.health.is_up)

    async def command(self, order: dict[str, Any]) -> dict[str, Any]:
        """One order, `{"do": NAME, …}`; answers the status after it. Raises BadCommandError.

        edge {"state": "up"|"refuse"|"hang"} · cut {"tunnel"} · dead {"tunnel", "dead": bool} ·
        lag {"lag": [min, max], "cache_s"?} · monitors {"paused": bool} ·
        fault {"pool", "status": int or null} · access {"hostname", "client_id"?, "client_secret"?, "login"?}
        or {"hostname", "off": true} · names {"say": "answer"|"silence"|"failure"} · udp {"open": bool} ·
        clock {"ahead": seconds}
        """
        orders = {
            "edge": self._edge,
            "cut": self._cut,
            "dead": self._dead,
            "lag": self._lag,
            "monitors": self._monitors,
            "fault": self._fault,
            "access": self._access,
            "names": self._names,
            "udp": self._udp,
            "clock": self._clock,
        }
        name = order.get("do")
        if name not in orders:
            raise BadCommandError(f"cannot do {name!r}: known are {', '.join(orders)}")
        try:
            await orders[name](order)
        except (KeyError, TypeError) as error:
            raise BadCommandError(f"cannot do {name!r}: {error!r}") from error
        return self.status()

    async def _edge(self, order: dict[str, Any]) -> None:
        if order["state"] not in ("up", "refuse", "hang"):
            raise BadCommandError(f"cannot set the edge to {order['state']!r}: up, refuse or hang")
        await self.tunnels.set_state(order["state"])

    async def _cut(self, order: dict[str, Any]) -> None:
        self.tunnels.drop(order["tunnel"])

    async def _dead(self, order: dict[str, Any]) -> None:
        if order.get("dead", True):
            self.tunnels.dead.add(order["tunnel"])
        else:
            self.tunnels.dead.discard(order["tunnel"])

    async def _lag(self, order: dict[str, Any]) -> None:
        low, high = order["lag"]
        self.view.lag = (float(low), float(high))
        self.router.cache_s = float(order.get("cache_s", self.router.cache_s))

    async def _monitors(self, order: dict[str, Any]) -> None:
        self.monitors.paused = bool(order["paused"])

    async def _fault(self, order: dict[str, Any]) -> None:
        if order["status"] is None:
            self.public.faults.pop(order["pool"], None)
        else:
            self.public.faults[order["pool"]] = int(order["status"])

    async def _access(self, order: dict[str, Any]) -> None:
        rest = {key: value for key, value in order.items() if key not in ("do", "hostname", "off")}
        if order.get("off"):
            self.public.door.applications.pop(order["hostname"], None)
        else:
            self.public.door.applications[order["hostname"]] = Access(**rest)

    async def _names(self, order: dict[str, Any]) -> None:
        if order["say"] not in ("answer", "silence", "failure"):
            raise BadCommandError(f"cannot have the name server say {order['say']!r}")
        self.names.say = order["say"]

    async def _udp(self, order: dict[str, Any]) -> None:
        self.datagrams.open = bool(order["open"])

    async def _clock(self, order: dict[str, Any]) -> None:
        self.public.door.ahead = float(order["ahead"])

    async def close(self) -> None:
        self.closed = True
        self.names.close()
        self.datagrams.close()
        self.view.close()
        self.monitors.close()
        await self.public.close()
        self.tunnels.close()
