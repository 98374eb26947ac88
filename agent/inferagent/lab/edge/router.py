"""The load balancer as requests see it: resolutions kept for some seconds, then one choice a request."""

import random
import time

from inferagent.lab.edge.health import Health
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.lab.edge.steering import Refusal, Resolution, Target, choose, resolve, retry
from inferagent.lab.edge.view import View


class Router:
    def __init__(self, view: View, health: Health, settings: EdgeSettings) -> None:
        self.cache_s = settings.cache_s
        self._view, self._health = view, health
        self._random = random.Random(f"steering {settings.seed}")
        self._kept: dict[str, tuple[float, Resolution]] = {}

    def route(self, hostname: str) -> Target | Refusal:
        return choose(self.resolution(hostname), self._random)

    def again(self, hostname: str, tried: Target) -> Target | None:
        return retry(self.resolution(hostname), tried, self._random)

    def resolution(self, hostname: str) -> Resolution:
        now = time.monotonic()
        kept = self._kept.get(hostname)
        if kept and now - kept[0] < self.cache_s:
            return kept[1]
        fresh = resolve(
            hostname,
            list(self._view.load_balancers.values()),
            self._view.pools,
            list(self._view.dns_records.values()),
            self._health.is_up,
        )
        self._kept[hostname] = (now, fresh)
        return fresh
