"""The metrics server: /metrics, /ready, /config, /diag/…, /healthcheck; up until the program ends."""

import json
import os

from aiohttp import web

from inferagent.lab.connector.options import EarlyExitError, Options
from inferagent.lab.connector.tunnel import Connection, Shared

PAGE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
PING_SOURCES = ("0.0.0.0", "::")  # noqa: S104 (a text, bound to nowhere)
KNOWN_PORTS = (20241, 20242, 20243, 20244, 20245, 0)


class StatusServer:
    def __init__(self, options: Options, shared: Shared, connections: list[Connection]) -> None:
        self._options, self._shared, self._connections = options, shared, connections
        self._runner: web.AppRunner | None = None

    async def listen(self) -> str:
        """Gives the address. Raises EarlyExitError when it is taken."""
        app = web.Application()
        app.on_response_prepare.append(_sign)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/config", self._config)
        app.router.add_get("/diag/tunnel", self._diag_tunnel)
        app.router.add_get("/diag/configuration", self._diag_configuration)
        app.router.add_get("/healthcheck", self._healthcheck)
        app.router.add_get("/quicktunnel", self._quicktunnel)
        app.router.add_route("*", "/{path:.*}", _missing)
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

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        """In chunks, as the real page comes."""
        answer = web.StreamResponse(headers={"Content-Type": PAGE})
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        await answer.write(self._shared.metrics.text().encode())
        await answer.write_eof()
        return answer

    async def _ready(self, _request: web.Request) -> web.Response:
        ready = sum(connection.connected for connection in self._connections)
        status = 200 if ready else 503
        body = {"status": status, "readyConnections": ready, "connectorId": str(self._shared.connector_id)}
        return _text(body, status)

    async def _config(self, _request: web.Request) -> web.Response:
        return _text(self._shared.configuration.as_json())

    def _collected(self, what: str) -> None:
        for said in ("Collection started", "Collection finished"):
            self._shared.log.info(said, collector=what)

    async def _diag_tunnel(self, _request: web.Request) -> web.Response:
        self._collected("tunnelState")
        connections = [
            {"isConnected": True, "edgeAddress": c.address[0]} | ({"index": c.index} if c.index else {})
            for c in self._connections
            if c.connected
        ]
        body = {"tunnelID": str(self._shared.token.tunnel), "connectorID": str(self._shared.connector_id)}
        return _text(
            body | ({"connections": connections} if connections else {}) | {"icmp_sources": PING_SOURCES}
        )

    async def _diag_configuration(self, _request: web.Request) -> web.Response:
        self._collected("configuration")
        return _text(dict(self._options.shown) | {"uid": str(os.getuid())})

    async def _healthcheck(self, _request: web.Request) -> web.Response:
        return web.Response(text="OK\n")

    async def _quicktunnel(self, _request: web.Request) -> web.Response:
        return _text({"hostname": ""})


async def _sign(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop("Server", None)


async def _missing(_request: web.Request) -> web.Response:
    return web.Response(
        status=404, text="404 page not found\n", headers={"X-Content-Type-Options": "nosniff"}
    )


def _text(body: object, status: int = 200) -> web.Response:
    """JSON under the type that the real program gives it."""
    return web.Response(
        status=status, text=json.dumps(body, separators=(",", ":")), content_type="text/plain"
    )
