"""A caller of the API's handlers without HTTP, on a clock that the test moves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from inferagent.lab.cloudflare import load_balancers, monitors, pools, tunnels
from inferagent.lab.cloudflare.calls import Answer, Call, Handler
from inferagent.lab.cloudflare.errors import ApiError
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.cloudflare.store import Store, Token

Object = dict[str, Any]


@dataclass
class Clock:
    time: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Api:
    """`api(handler, body, pool=ID)` gives the result; `refused` gives (status, code)."""

    clock: Clock = field(default_factory=Clock)
    settings: Settings = field(default_factory=Settings)
    token: Token = field(default_factory=lambda: Token("t1", frozenset()))

    def __post_init__(self) -> None:
        self.store = Store(now=self.clock)

    def answer(
        self, handler: Handler, body: Any = None, query: Mapping[str, str] | None = None, **params: str
    ) -> Answer:
        store = self.store
        return handler(Call(store, store.tables, self.settings, self.token, params, query or {}, body))

    def __call__(
        self, handler: Handler, body: Any = None, query: Mapping[str, str] | None = None, **params: str
    ) -> Any:
        return self.answer(handler, body, query, **params).result

    def refused(self, handler: Handler, body: Any = None, **params: str) -> tuple[int, int]:
        with pytest.raises(ApiError) as error:
            self(handler, body, **params)
        return error.value.status, error.value.code

    def endpoint(self, name: str = "gpu-1", **more: Any) -> Object:
        return {"name": name, "address": f"{name}.cfargotunnel.com"} | more

    def pool(self, name: str = "gpu-1", **more: Any) -> Object:
        made: Object = self(pools.create_pool, {"name": name, "origins": [self.endpoint(name)]} | more)
        return made

    def monitor(self, **more: Any) -> Object:
        made: Object = self(monitors.create_monitor, {"type": "https"} | more)
        return made

    def load_balancer(self, *pool_ids: str, **more: Any) -> Object:
        body = {
            "name": "chat.example.com",
            "default_pools": list(pool_ids),
            "fallback_pool": pool_ids[-1],
        }
        made: Object = self(load_balancers.create_load_balancer, body | more)
        return made

    def tunnel(self, name: str = "gpu-1", **more: Any) -> Object:
        made: Object = self(tunnels.create_tunnel, {"name": name, "config_src": "cloudflare"} | more)
        return made


@pytest.fixture
def api() -> Api:
    return Api()
