"""The metrics server: /metrics, /ready, /config, /diag/…, /healthcheck; up until the program ends."""

import json
import os

from aiohttp import web

from inferagent.lab.connector.options import EarlyExitError, Options
from inferagent.lab.connector.tunnel import Connection, Shared

KNOWN_PORTS = (20241, 20242, 20243, 20244, 20245, 0)


class StatusServer:
    def __init__(self, options: Options, shared: Shared, connections: list[Connection]) -> None:
        self._options, self._shared, self._connections = options, shared, connections
        self._runner: web.AppRunner | None = None

    async def listen(self) -> str:
        """Gives the address. Raises EarlyExitError when it is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/config", self._config)
        app.router.add_get("/diag/tunnel", self._diag_tunnel)
        app.router.add_get("/diag/configuration", self._diag_configuration)
        app.router.add_get("/healthcheck", self._healthcheck)
        app.router.add_get("/quicktunnel", self._quicktunnel)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        host, _, port = self._options.metrics.rpartition(":")
        ports = (int(port),) if port.isdigit() else KNOWN_PORTS
        return await self._bind(self._runner, host or "127.0.0.1", ports)

    async def _bind(self, runner: web.AppRunner, host: str, ports: tuple[int, ...]) -> str:
        cause: OSError | None = None
        for port in ports:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                cause = error
                continue
            return "{}:{}".format(*runner.addresses[0][:2])
        await runner.cleanup()
        raise EarlyExitError(1, f"Error opening metrics server listener: failed to bind to address: {cause}")

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._shared.metrics.text())

    async def _ready(self, _request: web.Request) -> web.Response:
        ready = sum(connection.connected for connection in self._connections)
        status = 200 if ready else 503
        body = {"status": status, "readyConnections": ready, "connectorId": str(self._shared.connector_id)}
        return _text(body, status)

    async def _config(self, _request: web.Request) -> web.Response:
        return _text(self._shared.configuration.as_json())

    async def _diag_tunnel(self, _request: web.Request) -> web.Response:
        connections = [
            {"isConnected": True, "edgeAddress": c.address[0]} | ({"index": c.index} if c.index else {})
            for c in self._connections
            if c.connected
        ]
        body = {"tunnelID": str(self._shared.token.tunnel), "connectorID": str(self._shared.connector_id)}
        return _text(body | ({"connections": connections} if connections else {}) | {"icmp_sources": []})

    async def _diag_configuration(self, _request: web.Request) -> web.Response:
        return _text(dict(self._options.shown) | {"uid": str(os.getuid())})

    async def _healthcheck(self, _request: web.Request) -> web.Response:
        return web.Response(text="OK\n")

    async def _quicktunnel(self, _request: web.Request) -> web.Response:
        return _text({"hostname": ""})


def _text(body: object, status: int = 200) -> web.Response:
    """JSON under the type that the real program gives it."""
    return web.Response(
        status=status, text=json.dumps(body, separators=(",", ":")), content_type="text/plain"
    )
