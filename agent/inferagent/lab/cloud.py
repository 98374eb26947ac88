"""The account's API and the edge in one process: `python -m inferagent.lab.cloud --dir D`.

Prints one JSON line when all is up: where everything listens, and the files that hold the CA and an
API token of every permission. Ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import contextlib
import json
import secrets
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from inferagent.lab.cloudflare.faults import Faults
from inferagent.lab.cloudflare.gateway import PREFIX
from inferagent.lab.cloudflare.server import GATEWAY, PERMISSIONS, make_app
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.cloudflare.store import Store
from inferagent.lab.edge.control import Edge
from inferagent.lab.edge.http import edge_routes
from inferagent.lab.edge.server import serve_edge
from inferagent.lab.edge.settings import EdgeSettings


@dataclass(frozen=True, slots=True)
class Cloud:
    store: Store
    edge: Edge
    api_port: int
    token_file: Path
    faults: Faults

    def as_json(self) -> dict[str, Any]:
        base = f"http://127.0.0.1:{self.api_port}"
        return {
            "api": base + PREFIX,
            "lab": base + "/lab",
            "edge_control": base + "/lab/edge",
            "api_token_file": str(self.token_file),
            "account": self.store.account["id"],
            "zone": self.store.zone["id"],
            "zone_name": self.store.zone["name"],
            "public": f"http://127.0.0.1:{self.edge.public_port}",
            "public_port": self.edge.public_port,
            "public_tls_port": self.edge.public.tls_port,
            "dns": f"127.0.0.1:{self.edge.names.port}",
            "tunnel_port": self.edge.tunnel_port,
            "edge": self.edge.addresses,
            "tunnel_edge": ",".join(self.edge.addresses),
            "cacert": str(self.edge.ca_path),
        }


@contextlib.asynccontextmanager
async def serve_cloud(
    folder: Path, edge_settings: EdgeSettings, settings: Settings | None = None, api_port: int = 0
) -> AsyncIterator[Cloud]:
    """Both on loopback while the context lasts; CA and token files go to `folder`."""
    store = Store()
    token_file = _add_token(store, folder)
    async with serve_edge(store, edge_settings, folder) as edge:
        app = make_app(store, settings)
        app.router.add_routes(edge_routes(edge))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", api_port).start()
            yield Cloud(store, edge, runner.addresses[0][1], token_file, app[GATEWAY].faults)
        finally:
            await runner.cleanup()


def _add_token(store: Store, folder: Path) -> Path:
    """A new token of every permission, in a file that only its owner reads."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "api-token"
    value = secrets.token_urlsafe(30)
    file.touch(mode=0o600)
    file.write_text(value + "\n")
    store.add_token(value, PERMISSIONS)
    return file


def main() -> None:
    options = _arguments()
    edge_settings = EdgeSettings(
        seed=options.seed,
        tunnel_port=options.tunnel_port,
        public_port=options.public_port,
        lag=tuple(options.lag),
        cache_s=options.cache,
        interval_scale=options.interval_scale,
        first_look=tuple(options.first_look),
        data_centres=tuple(f"Centre {number + 1}" for number in range(options.data_centres)),
    )
    settings = Settings(latency_s=options.latency, monitor_interval_min=options.monitor_interval_min)
    asyncio.run(_run(options, edge_settings, settings))


async def _run(options: argparse.Namespace, edge_settings: EdgeSettings, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serve_cloud(options.dir, edge_settings, settings, options.api_port) as cloud:
        print(json.dumps(cloud.as_json()), flush=True)
        await stop.wait()


def _arguments() -> argparse.Namespace:
    plain, strict = EdgeSettings(), Settings()
    parser = argparse.ArgumentParser(prog="python -m inferagent.lab.cloud", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="folder for the CA and the API token")
    parser.add_argument("--seed", type=int, default=plain.seed)
    parser.add_argument("--api-port", type=int, default=0)
    parser.add_argument("--public-port", type=int, default=0)
    parser.add_argument("--tunnel-port", type=int, default=0)
    parser.add_argument("--lag", type=float, nargs=2, default=plain.lag, metavar=("MIN", "MAX"))
    parser.add_argument(
        "--cache", type=float, default=plain.cache_s, help="seconds a resolved hostname is kept"
    )
    parser.add_argument("--interval-scale", type=float, default=plain.interval_scale)
    parser.add_argument("--first-look", type=float, nargs=2, default=plain.first_look, metavar=("MIN", "MAX"))
    parser.add_argument("--data-centres", type=int, default=1)
    parser.add_argument(
        "--latency", type=float, default=strict.latency_s, help="of every API answer, in seconds"
    )
    parser.add_argument("--monitor-interval-min", type=int, default=strict.monitor_interval_min)
    return parser.parse_args()


if __name__ == "__main__":
    main()
