"""Monitors: one task for each enabled pool that has one; their verdicts go to routing and into the store."""

import asyncio
import random
from typing import Any

from inferagent.lab.cloudflare.store import Store
from inferagent.lab.edge.counters import Counters
from inferagent.lab.edge.health import Health
from inferagent.lab.edge.probe import probe
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.lab.edge.steering import pool_is_up
from inferagent.lab.edge.tunnels import Tunnels
from inferagent.lab.edge.view import View

Object = dict[str, Any]


class Monitors:
    def __init__(
        self,
        store: Store,
        view: View,
        health: Health,
        tunnels: Tunnels,
        settings: EdgeSettings,
        counters: Counters,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.paused = False
        self._store, self._view, self._health, self._tunnels = store, view, health, tunnels
        self._settings, self._counters, self._tasks = settings, counters, tasks
        self._random = random.Random(f"monitor {settings.seed}")
        self._watching: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        for pool_id in list(self._view.pools):
            self._review(pool_id)

    def changed(self, kind: str, object_id: str) -> None:
        """A change has arrived at the edge."""
        if kind == "pool":
            self._review(object_id)
        if kind == "monitor":
            for pool_id, pool in list(self._view.pools.items()):
                if pool.get("monitor") == object_id:
                    self._review(pool_id)

    def close(self) -> None:
        for task in self._watching.values():
            task.cancel()

    def _review(self, pool_id: str) -> None:
        """Watch what is to be watched, and only that."""
        pool = self._view.pools.get(pool_id)
        if pool is not None and pool.get("enabled", True) and self._monitor_of(pool):
            self._health.forget(pool_id, keep=frozenset(o["address"] for o in _enabled(pool)))
            if pool_id not in self._watching:
                self._watching[pool_id] = self._tasks.create_task(self._watch(pool_id))
            return
        if task := self._watching.pop(pool_id, None):
            task.cancel()
        if self._settings.reset_health or pool is None:
            self._health.forget(pool_id)
        self._store.set_health(pool_id, None, {})

    async def _watch(self, pool_id: str) -> None:
        wait = self._random.uniform(*self._settings.first_look)
        while (pool := self._view.pools.get(pool_id)) and (monitor := self._monitor_of(pool)):
            interval = float(monitor.get("interval") or 60) * self._settings.interval_scale
            await asyncio.sleep(interval * wait)
            wait = 1.0
            if not self.paused:
                await self._round(pool_id)

    async def _round(self, pool_id: str) -> None:
        pool = self._view.pools.get(pool_id)
        monitor = self._monitor_of(pool) if pool else None
        if pool is None or monitor is None:
            return
        async with asyncio.TaskGroup() as looks:
            for origin in _enabled(pool):
                for centre in self._settings.data_centres:
                    looks.create_task(self._look(pool_id, origin, monitor, centre))
        self._publish(pool_id)

    async def _look(self, pool_id: str, origin: Object, monitor: Object, centre: str) -> None:
        look = await probe(self._tunnels, pool_id, origin, monitor)
        self._counters.probes[pool_id] += 1
        self._counters.probes_failed[pool_id] += not look.ok
        self._health.record(
            pool_id,
            str(origin["address"]),
            centre,
            look,
            up_after=int(monitor.get("consecutive_up") or 1),
            down_after=int(monitor.get("consecutive_down") or 1),
        )

    def _publish(self, pool_id: str) -> None:
        pool = self._view.pools.get(pool_id)
        if pool is None:
            return
        verdicts = [self._health.verdict(pool_id, str(o["address"])) for o in _enabled(pool)]
        unknown = all(verdict is None for verdict in verdicts)
        healthy = None if unknown else pool_is_up(pool, self._health.is_up)
        self._store.set_health(pool_id, healthy, self._health.detail(pool_id))

    def _monitor_of(self, pool: Object) -> Object | None:
        return self._view.monitors.get(str(pool.get("monitor") or ""))


def _enabled(pool: Object) -> list[Object]:
    return [origin for origin in pool.get("origins", []) if origin.get("enabled", True)]
