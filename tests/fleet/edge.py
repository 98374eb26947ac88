"""The simulated edge: pools in an order, a monitor in several data centres, and locations that lag behind.

Pools are the API's own objects: the real adapter reads and writes them. Times are seconds of the fleet.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

Object = dict[str, Any]
CONSECUTIVE = 2
CACHE = 5.0


@dataclass(slots=True)
class Monitor:
    """`interval` in seconds; `centres` look one after the other within it; `blind`: it asks nobody."""

    interval: float = 15.0
    consecutive: int = 1
    centres: int = 3
    blind: bool = False


@dataclass(slots=True)
class Looks:
    """What one data centre has seen of one pool: the verdict it stands by, and looks in a row against it."""

    verdict: bool | None = None
    against: int = 0


@dataclass
class Pool:
    """One host's pool at the edge. `asks` is what the monitor gets from the ready URL at this moment."""

    name: str
    asks: Callable[[], bool]
    entry: Object
    looks: list[Looks]
    next_look: float = 0.0
    turn: int = 0
    enabled_since: float = float("-inf")
    probes: int = 0  # that reached the ready program
    history: list[tuple[float, bool, bool | None]] = field(default_factory=list)

    @property
    def enabled(self) -> bool:
        return bool(self.entry["enabled"])

    @property
    def healthy(self) -> bool | None:
        healthy = self.entry["healthy"]
        return healthy if isinstance(healthy, bool) else None


def pool_object(name: str, machine: str) -> Object:
    """As the API would list it; `notification_filter` and `own_note` are nobody's business."""
    return {
        "id": f"id-{name}",
        "name": name,
        "description": f"inferagent machine={machine} serves=chat" if machine else "",
        "enabled": True,
        "healthy": True,
        "monitor": "m1",
        "minimum_origins": 1,
        "load_shedding": {"default_percent": 0, "default_policy": "random"},
        "notification_filter": {"pool": {"disable": False}},
        "origins": [{"name": name, "address": f"{name}.cfargotunnel.com", "enabled": True, "weight": 1}],
        "own_note": "kept",
    }


class Edge:
    """`lags`: seconds that each location is behind. `steering`: "off" takes the first, "random" any."""

    panic = False  # the fallback is a pool of its own, with every endpoint in it and never disabled

    def __init__(self, monitor: Monitor, lags: tuple[float, ...], steering: str, random: Random) -> None:
        self.monitor, self.lags, self.steering, self.random = monitor, lags, steering, random
        self.pools: list[Pool] = []
        self.balancer: Object = {"id": "l", "enabled": True, "default_pools": [], "fallback_pool": ""}

    def add(self, name: str, asks: Callable[[], bool], machine: str, *, member: bool) -> Pool:
        entry = pool_object(name, machine)
        entry["enabled"], entry["healthy"] = member, True if member else None
        looks = [Looks(True if member else None) for _ in range(self.monitor.centres)]
        pool = Pool(name, asks, entry, looks)
        pool.next_look = self.random.uniform(0.0, self.monitor.interval / self.monitor.centres)
        pool.history.append((float("-inf"), member, True if member else None))
        self.pools.append(pool)
        self.balancer["default_pools"].append(entry["id"])
        self.balancer["fallback_pool"] = entry["id"]
        return pool

    def pool(self, key: str) -> Pool | None:
        return next((pool for pool in self.pools if pool.entry["id"] == key), None)

    def set_enabled(self, pool: Pool, enabled: bool, now: float) -> None:
        """What was enabled just now is unknown until its monitor has looked."""
        if enabled and not pool.enabled:
            pool.looks = [Looks() for _ in pool.looks]
            pool.entry["healthy"] = None
            pool.enabled_since = now
            pool.next_look = now + self.random.uniform(0.5, self.monitor.interval / self.monitor.centres)
        pool.entry["enabled"] = enabled
        if not enabled:
            pool.entry["healthy"] = None
        self._note(pool, now)

    def _note(self, pool: Pool, now: float) -> None:
        last = pool.history[-1]
        if (last[1], last[2]) != (pool.enabled, pool.healthy):
            pool.history.append((now, pool.enabled, pool.healthy))
            oldest = now - 60.0
            while len(pool.history) > 1 and pool.history[1][0] <= oldest:
                pool.history.pop(0)

    # the monitor

    def look(self, now: float) -> None:
        for pool in self.pools:
            while pool.enabled and now >= pool.next_look and not self.monitor.blind:
                pool.next_look += self.monitor.interval / self.monitor.centres
                self._centre_looks(pool)
            self._note(pool, now)
            if self.monitor.blind or not pool.enabled:
                pool.next_look = max(pool.next_look, now)

    def _centre_looks(self, pool: Pool) -> None:
        looks = pool.looks[pool.turn % len(pool.looks)]
        pool.turn += 1
        seen = pool.asks()
        if looks.verdict is None:
            looks.verdict = seen
        elif seen is looks.verdict:
            looks.against = 0
        else:
            looks.against += 1
            if looks.against >= self.monitor.consecutive:
                looks.verdict, looks.against = seen, 0
        known = [one.verdict for one in pool.looks if one.verdict is not None]
        if 2 * len(known) > len(pool.looks):
            pool.entry["healthy"] = 2 * sum(known) > len(known)

    # the way of a request

    def seen(self, pool: Pool, lag: float, now: float) -> tuple[bool, bool | None]:
        """Enabled and healthy as a location with this lag knows them."""
        for at, enabled, healthy in reversed(pool.history):
            if at <= now - lag:
                return enabled, healthy
        return pool.history[0][1], pool.history[0][2]

    def route(self, location: int, now: float) -> Pool | None:
        """The pool that a request from this location goes to; None: the edge itself answers 530."""
        lag = self.lags[location]
        states = [(pool, *self.seen(pool, lag, now)) for pool in self.pools]
        effective = [pool for pool, enabled, healthy in states if enabled and healthy]
        kept = [pool for pool in effective if not self._sheds(pool)]
        if kept:
            return kept[0] if self.steering == "off" else self.random.choice(kept)
        if self.panic:
            return self.random.choice(self.pools)
        fallback = self.balancer["fallback_pool"]
        return next((pool for pool, enabled, _ in states if pool.entry["id"] == fallback and enabled), None)

    def _sheds(self, pool: Pool) -> bool:
        share = pool.entry["load_shedding"]["default_percent"]
        return bool(share) and self.random.uniform(0.0, 100.0) < share
