"""What routing knows: pools, load balancers, monitors and DNS records, each some seconds late."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from inferagent.lab.cloudflare.store import Store
from inferagent.lab.edge.settings import EdgeSettings

Object = dict[str, Any]
KINDS = ("pool", "load_balancer", "monitor", "dns_record")


class View:
    """Starts with what the store holds now. `on_change(kind, id)` is called when a change has arrived.

    A change may overtake an older one of the same object; the older one is then not applied.
    """

    def __init__(self, store: Store, settings: EdgeSettings) -> None:
        self.lag = settings.lag
        self.tables: dict[str, dict[str, Object]] = {
            "pool": dict(store.pools),
            "load_balancer": dict(store.load_balancers),
            "monitor": dict(store.monitors),
            "dns_record": dict(store.dns_records),
        }
        self.on_change: Callable[[str, str], None] = lambda _kind, _id: None
        self._random = random.Random(f"lag {settings.seed}")
        self._count = 0
        self._newest: dict[tuple[str, str], int] = {}
        self._due: set[asyncio.TimerHandle] = set()

    @property
    def pools(self) -> dict[str, Object]:
        return self.tables["pool"]

    @property
    def load_balancers(self) -> dict[str, Object]:
        return self.tables["load_balancer"]

    @property
    def monitors(self) -> dict[str, Object]:
        return self.tables["monitor"]

    @property
    def dns_records(self) -> dict[str, Object]:
        return self.tables["dns_record"]

    def changed(self, kind: str, object_id: str, new: Object | None) -> None:
        if kind not in KINDS:
            return
        self._count += 1
        number = self._count
        delay = self._random.uniform(*self.lag)
        if delay <= 0:
            self._apply(kind, object_id, new, number)
            return
        handle: asyncio.TimerHandle

        def arrive() -> None:
            self._due.discard(handle)
            self._apply(kind, object_id, new, number)

        handle = asyncio.get_running_loop().call_later(delay, arrive)
        self._due.add(handle)

    def close(self) -> None:
        for handle in self._due:
            handle.cancel()

    def _apply(self, kind: str, object_id: str, new: Object | None, number: int) -> None:
        key = (kind, object_id)
        if number < self._newest.get(key, 0):
            return
        self._newest[key] = number
        if new is None:
            self.tables[kind].pop(object_id, None)
        else:
            self.tables[kind][object_id] = new
        self.on_change(kind, object_id)
