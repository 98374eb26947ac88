"""The edge as one thing: open it beside a store, read its ports, steer it by its control surface."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from inferagent.lab.cloudflare.store import Store
from inferagent.lab.edge.certificates import make_certificates, public_context
from inferagent.lab.edge.control import Edge
from inferagent.lab.edge.counters import Counters
from inferagent.lab.edge.datagrams import Datagrams
from inferagent.lab.edge.health import Health
from inferagent.lab.edge.monitors import Monitors
from inferagent.lab.edge.nameserver import NameServer
from inferagent.lab.edge.public import PublicSide
from inferagent.lab.edge.router import Router
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.lab.edge.tunnels import Tunnels
from inferagent.lab.edge.view import View
from inferagent.lab.wire.rpc import rpc_loop


@contextlib.asynccontextmanager
async def serve_edge(store: Store, settings: EdgeSettings, folder: Path) -> AsyncIterator[Edge]:
    """An edge on loopback beside the account in `store`; certificates go to `folder`. All ends on leaving."""
    ca_path, context = make_certificates(folder)
    try:
        async with rpc_loop(), asyncio.TaskGroup() as tasks:
            edge = _build(store, settings, tasks, ca_path, context)
            await edge.tunnels.listen()
            await edge.datagrams.listen(settings.addresses, edge.tunnels.port)
            zone = str(store.zone["name"])
            await edge.public.listen(public_context(folder, (zone, f"*.{zone}"), "public"))
            await edge.names.listen(settings.dns_port)
            edge.monitors.start()
            try:
                yield edge
            finally:
                await edge.close()
    except BaseExceptionGroup as group:
        # What the body raised comes out as itself, not wrapped because tasks of ours stood beside it.
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None
        raise


def _build(
    store: Store, settings: EdgeSettings, tasks: asyncio.TaskGroup, ca_path: Path, context: ssl.SSLContext
) -> Edge:
    counters = Counters()
    health = Health(settings.data_centres)
    view = View(store, settings)
    tunnels = Tunnels(store, settings, counters, context, tasks)
    monitors = Monitors(store, view, health, tunnels, settings, counters, tasks)
    router = Router(view, health, settings)
    edge = Edge(
        tunnels=tunnels,
        public=PublicSide(tunnels, router, settings, counters),
        monitors=monitors,
        router=router,
        view=view,
        health=health,
        counters=counters,
        ca_path=ca_path,
        datagrams=Datagrams(),
        names=NameServer(
            lambda: list(view.load_balancers.values()),
            lambda: list(view.dns_records.values()),
            settings.addresses,
        ),
    )
    view.on_change = monitors.changed
    store.subscribe(edge.changed)
    return edge
