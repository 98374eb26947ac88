"""Pieces that tests of the edge and of connectors share: an origin, an account with a tunnel, connectors."""

import asyncio
import base64
import contextlib
import json
import os
import random
import secrets
import ssl
import sys
import time
import uuid
from pathlib import Path

import aiohttp
from aiohttp import web

from inferagent.lab.cloudflare.store import Store
from inferagent.lab.connector.backoff import Backoff
from inferagent.lab.connector.ingress import Configuration
from inferagent.lab.connector.logs import Log
from inferagent.lab.connector.metrics import Metrics
from inferagent.lab.connector.options import Token
from inferagent.lab.connector.origin import Origins
from inferagent.lab.connector.tunnel import Connection, Shared
from inferagent.lab.demo.world import free_ports

TUNNEL = "11111111-2222-3333-4444-555555555555"
HOST = "gpu-a.example.com"
PUBLIC = "llm.example.com"
STAND_IN = [sys.executable, "-m", "inferagent.lab.connector"]


async def until(condition, seconds=5.0, what="the condition"):
    """Look again every 10 ms until it holds; what it gives back is returned."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not come true within {seconds} s"
        await asyncio.sleep(0.01)


class Origin:
    """A small HTTP server that remembers what it was asked."""

    def __init__(self):
        self.seen = []
        self.aborted = 0
        self.open = 0
        self.go_on = asyncio.Event()
        self.status = 200

    async def __aenter__(self):
        self.runner = web.ServerRunner(
            web.Server(self.handle, handler_cancellation=True, access_log=None), shutdown_timeout=0.1
        )
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_):
        self.go_on.set()
        await self.runner.cleanup()

    async def handle(self, request):
        self.seen.append((request.method, request.path_qs, request.headers.copy()))
        self.open += 1
        try:
            return await getattr(self, "at_" + request.path.strip("/").split("/")[0], self.at_)(request)
        except asyncio.CancelledError:
            self.aborted += 1
            raise
        finally:
            self.open -= 1

    async def at_(self, request):
        return web.json_response(
            {"path": request.path_qs, "host": request.headers["Host"]}, status=self.status
        )

    async def at_echo(self, request):
        """Sends back what comes, as it comes."""
        answer = web.StreamResponse()
        await answer.prepare(request)
        async for piece in request.content.iter_any():
            await answer.write(piece)
        return answer

    async def at_size(self, request):
        size = 0
        async for piece in request.content.iter_any():
            size += len(piece)
        return web.Response(text=str(size))

    async def at_bytes(self, request):
        return web.Response(body=bytes(int(request.query["n"])))

    async def at_events(self, request):
        """n events, `every` seconds apart; with `wait`, the last ones only after go_on."""
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        n = int(request.query.get("n", 10))
        for number in range(n):
            if "wait" in request.query and number == n // 2:
                await self.go_on.wait()
            await answer.write(b"data: %d\n\n" % number)
            await asyncio.sleep(float(request.query.get("every", 0)))
        return answer

    async def at_break(self, request):
        """Half an answer, then the connection is gone."""
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"half")
        request.transport.abort()
        return answer

    async def at_hang(self, _request):
        await self.go_on.wait()
        return web.Response(text="late")


def add_tunnel(store, tunnel_id=TUNNEL, host=HOST, service=None):
    store.put(
        "tunnel",
        tunnel_id,
        {
            "id": tunnel_id,
            "account_tag": store.account["id"],
            "tunnel_secret": base64.b64encode(secrets.token_bytes(32)).decode(),
            "name": host,
            "status": "inactive",
            "conns_active_at": None,
            "conns_inactive_at": None,
        },
    )
    if service:
        rules = [{"hostname": host, "service": service}, {"service": "http_status:404"}]
        configure(store, rules, 1, tunnel_id)


def configure(store, rules, version, tunnel_id=TUNNEL):
    store.put("tunnel_configuration", tunnel_id, {"version": version, "config": {"ingress": rules}})


def add_pool(store, pool_id, tunnel_id=TUNNEL, host=HOST, **more):
    origin = {
        "name": pool_id,
        "address": f"{tunnel_id}.cfargotunnel.com",
        "enabled": True,
        "weight": 1,
        "header": {"Host": [host]},
    }
    pool = {"id": pool_id, "enabled": True, "minimum_origins": 1, "origins": [origin]}
    store.put("pool", pool_id, pool | more)


def add_balancer(store, pools, fallback=None, **more):
    balancer = {
        "id": "lb",
        "name": PUBLIC,
        "enabled": True,
        "default_pools": pools,
        "fallback_pool": fallback or pools[-1],
        "steering_policy": "off",
    }
    store.put("load_balancer", "lb", balancer | more)


def token_of(store, tunnel_id=TUNNEL):
    tunnel = store.tunnels[tunnel_id]
    return Token(tunnel["account_tag"], base64.b64decode(tunnel["tunnel_secret"]), uuid.UUID(tunnel_id))


def shared_of(edge, store, tunnel_id=TUNNEL, token=None):
    configuration, metrics = Configuration(), Metrics()
    log = Log(as_json=True, out=Lines())
    return Shared(
        token=token or token_of(store, tunnel_id),
        context=ssl.create_default_context(cafile=edge.ca_path),
        configuration=configuration,
        metrics=metrics,
        origins=Origins(configuration, metrics, log),
        log=log,
        stopping=asyncio.get_running_loop().create_future(),
    )


class Lines:
    """Where a connector inside a test logs to."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@contextlib.asynccontextmanager
async def inside(edge, store, tunnel_id=TUNNEL, connections=1, token=None, wait=True):
    """The stand-in connector inside this process."""
    shared = shared_of(edge, store, tunnel_id, token)
    quick = [Backoff(1, random.Random(1)) for _ in range(connections)]
    each = [
        Connection(index, ("127.0.0.1", edge.tunnel_port), shared, quick[index])
        for index in range(connections)
    ]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(connection.run()) for connection in each]
            if wait:
                await until(lambda: all(c.connected for c in each), what="registration")
                if store.tunnel_configurations.get(tunnel_id):
                    await until(lambda: shared.configuration.version >= 0, what="the configuration")
            try:
                yield shared
            finally:
                for task in tasks:
                    task.cancel()
    finally:
        await shared.origins.close()


class Process:
    """A connector as a process, the stand-in or the real one."""

    def __init__(self, process, metrics_port, log):
        self.process, self.log = process, log
        self.base = f"http://127.0.0.1:{metrics_port}"

    async def get(self, path):
        async with aiohttp.ClientSession() as session, session.get(self.base + path) as answer:
            return answer.status, await answer.text()

    async def ready(self):
        """(status, connections), or nothing while nobody answers."""
        try:
            status, text = await self.get("/ready")
        except aiohttp.ClientError:
            return None
        return status, json.loads(text)["readyConnections"]

    async def until_ready(self, connections=1, seconds=15.0):
        async def enough():
            found = await self.ready()
            return found and found[1] >= connections

        await until(enough, seconds, f"{connections} ready connections")

    async def metric(self, name):
        _, text = await self.get("/metrics")
        found = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(name + " ")]
        return float(found[0]) if found else None


@contextlib.asynccontextmanager
async def started(
    command, edge, store, folder: Path, tunnel_id=TUNNEL, token_text=None, edges=None, **environment
):
    """A connector process; killed at the end if it still runs."""
    number = secrets.token_hex(4)
    token_file, log = folder / f"token-{number}", folder / f"log-{number}"
    token_file.write_text((token_text or store.tunnel_token(tunnel_id)) + "\n")
    port = free_ports(1)[0]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TUNNEL_TOKEN_FILE": str(token_file),
        "TUNNEL_METRICS": f"127.0.0.1:{port}",
        "NO_AUTOUPDATE": "true",
        "TUNNEL_TRANSPORT_PROTOCOL": "http2",
        "TUNNEL_LOG_OUTPUT": "json",
        "TUNNEL_EDGE": ",".join(edges or edge.addresses),
        **environment,
    }
    with log.open("w") as out:
        process = await asyncio.create_subprocess_exec(
            *command,
            *("tunnel", "--cacert", str(edge.ca_path), "--no-prechecks", "run"),
            env=env,
            stderr=out,
            stdout=out,
        )
    try:
        yield Process(process, port, log)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


def fresh_account(service=None):
    store = Store()
    add_tunnel(store, service=service)
    return store
