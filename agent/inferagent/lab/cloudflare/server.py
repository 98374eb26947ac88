"""The stand-in over HTTP: the API under /client/v4, the lab's own door under /lab."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from inferagent.lab.cloudflare import account, dns, load_balancers, monitors, pools, tunnels
from inferagent.lab.cloudflare.calls import Route
from inferagent.lab.cloudflare.control import Control
from inferagent.lab.cloudflare.faults import Faults
from inferagent.lab.cloudflare.gateway import PREFIX, Gateway
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.cloudflare.store import Store

ROUTES: list[Route] = [
    *account.ROUTES,
    *dns.ROUTES,
    *load_balancers.ROUTES,
    *monitors.ROUTES,
    *pools.ROUTES,
    *tunnels.ROUTES,
]
PERMISSIONS = frozenset(name for route in ROUTES for name in route.permissions)
GATEWAY = web.AppKey("gateway", Gateway)
WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Served:
    """A running stand-in. `url` is the base URL for a client of the API."""

    host: str
    port: int
    faults: Faults
    gateway: Gateway

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}{PREFIX}"

    @property
    def lab_url(self) -> str:
        return f"http://{self.host}:{self.port}/lab"


def make_app(store: Store, settings: Settings | None = None) -> web.Application:
    gateway = Gateway(store, settings or Settings())
    app = web.Application()
    app[GATEWAY] = gateway
    for route in ROUTES:
        app.router.add_route(route.method, PREFIX + route.path, _taken_by(gateway, route))
    app.router.add_route("*", PREFIX + "/{tail:.*}", _taken_by(gateway, None))
    app.router.add_routes(Control(gateway).routes())

    async def close(_app: web.Application) -> None:
        gateway.close()

    app.on_shutdown.append(close)
    return app


@asynccontextmanager
async def serve(
    store: Store, settings: Settings | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Served]:
    """Serve while the context lasts; port 0 takes a free one. A left port can be taken again at once."""
    app = make_app(store, settings)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        gateway = app[GATEWAY]
        yield Served(host, runner.addresses[0][1], gateway.faults, gateway)
    finally:
        await runner.cleanup()


def _taken_by(gateway: Gateway, route: Route | None) -> WebHandler:
    async def take(request: web.Request) -> web.StreamResponse:
        return await gateway.take(route, request)

    return take
