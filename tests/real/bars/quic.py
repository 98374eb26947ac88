"""stop_http2_s, stop_quic_s, stop_quic_unanswered_s: from SIGTERM of an idle cloudflared to its end.

HTTP/2 by the edge's stand-in, which speaks no QUIC: there a connector by QUIC is never registered. For one
that is, INFERAGENT_QUIC_EDGE names an edge that speaks it; without it the figure is left out, and this is
said.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tests.bench.figures import Figure, load_average, quantile, spread, tidy
from tests.bench.lab import Edge, opened, provision, say, text_of, until
from tests.real.bars.chain import Chain, begun, version_in

from inferagent.lab.demo.host import Host
from inferagent.lab.processes import Program

QUIC_EDGE = "INFERAGENT_QUIC_EDGE"
TIMES, QUICK_TIMES = 5, 1
SETTLED = 3.0  # seconds that a connector is given before the signal
LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Way:
    """How a connector is ended. `edge`: "lab", or "quic" with what it does once a connection unregisters."""

    protocol: str
    edge: str = "lab"
    closes: str = "-1s"
    grace: str = ""
    second: float | None = None  # seconds from the first SIGTERM to another


@dataclass(frozen=True, slots=True)
class Stop:
    seconds: float
    code: int
    registered: int


UNANSWERED = {"": Way("quic"), "grace_5s": Way("quic", grace="5s")}
HTTP2 = {"": Way("http2"), "grace_5s": Way("http2", grace="5s")}
REGISTERED = {
    "": Way("quic", "quic"),
    "grace_5s": Way("quic", "quic", grace="5s"),
    "edge_closes_0.2s_after_it_unregistered": Way("quic", "quic", closes="200ms"),
    "second_sigterm_after_1s": Way("quic", "quic", second=1.0),
}


async def measure(chain: Chain, folder: Path, quick: bool) -> list[Figure]:
    conditions: dict[str, Any] = {**begun(), "grace": "30s, as shipped", "in_flight": 0}
    times = QUICK_TIMES if quick else TIMES
    async with opened(folder, Edge(lag=(0.0, 0.0)), seed=chain.seed) as world:
        host = chain.add(world, "stops", "ollama", 100)
        await provision(world, [host])
        await world.ask("POST", "/edge", {"do": "udp", "open": False})
        taken = {name: await _stops(host, ways, times) for name, ways in _wanted(chain).items()}
        conditions["connector"] = await _version(host)
    conditions["load_after"] = load_average()
    return [figure(name, stops, conditions) for name, stops in taken.items()]


def _wanted(chain: Chain) -> dict[str, dict[str, Way]]:
    """The stand-in connector comes by HTTP/2 only."""
    wanted = {"stop_http2_s": HTTP2}
    if not chain.stand_ins:
        wanted["stop_quic_unanswered_s"] = UNANSWERED
        if os.environ.get(QUIC_EDGE):
            wanted["stop_quic_s"] = REGISTERED
    if "stop_quic_s" not in wanted:
        say(f"quic: stop_quic_s is left out, for want of an edge that speaks it (name it by {QUIC_EDGE})")
    return wanted


async def _stops(host: Host, ways: dict[str, Way], times: int) -> dict[str, list[Stop]]:
    return {name: [await _stop(host, way) for _ in range(times)] for name, way in ways.items()}


def figure(name: str, stops: dict[str, list[Stop]], conditions: dict[str, Any]) -> Figure:
    """The plain stop, and beside it the others."""
    plain, *_ = stops.values()
    own = {
        "registered_connections": sorted({each.registered for each in plain}),
        "exit_codes": sorted({each.code for each in plain}),
    }
    beside = {other: _told(some) for other, some in stops.items() if other}
    return spread(name, [each.seconds for each in plain], conditions | own, beside)


def _told(stops: list[Stop]) -> dict[str, Any]:
    samples = [each.seconds for each in stops]
    return {
        "median_s": tidy(quantile(samples, 0.5)),
        "max_s": tidy(max(samples)),
        "n": len(samples),
        "exit_codes": sorted({each.code for each in stops}),
    }


async def _stop(host: Host, way: Way) -> Stop:
    async with _edge_of(host, way) as edge, connector_of(host, way, edge) as program:
        wanted = 0 if way.protocol == "quic" and way.edge == "lab" else 1

        async def ready() -> bool:
            return await ready_connections(host) >= wanted

        await until(f"cloudflared by {way.protocol}", ready, 60)
        await asyncio.sleep(SETTLED)
        registered = await ready_connections(host)
        since = time.monotonic()
        program.signal(signal.SIGTERM)
        if way.second is not None:
            await asyncio.sleep(way.second)
            program.signal(signal.SIGTERM)
        code = await program.ended(LIMIT)
        took = time.monotonic() - since
        say(f"quic: {way}: ended {code} after {took:.2f} s")
        return Stop(took, code, registered)


@asynccontextmanager
async def _edge_of(host: Host, way: Way) -> AsyncIterator[list[str]]:
    """Flags that lead a connector to the edge of its way; none for the lab's."""
    if way.edge == "lab":
        yield []
        return
    log, ca = host.folder / "quic-edge.log", host.folder / "quic-ca.pem"
    log.unlink(missing_ok=True)
    argv = [os.environ[QUIC_EDGE], "-ca", str(ca), f"-close={way.closes}"]
    program = await Program.start(argv, {}, log)

    async def listens() -> bool:
        return "listens on " in text_of(log)

    try:
        await until("the edge that speaks QUIC", listens, 30)
        yield ["--edge", text_of(log).split("listens on ")[1].split()[0], "--cacert", str(ca)]
    finally:
        await program.end()


@asynccontextmanager
async def connector_of(host: Host, way: Way, edge: list[str]) -> AsyncIterator[Program]:
    """The host's connector without its agent."""
    environment = {
        "TUNNEL_TOKEN_FILE": str(host.config / "credentials" / "tunnel-token"),
        "TUNNEL_METRICS": f"127.0.0.1:{host.metrics_port}",
        "NO_AUTOUPDATE": "true",
        "HOME": str(host.folder),
        **({"TUNNEL_GRACE_PERIOD": way.grace} if way.grace else {}),
    }
    words = command_of(host.connector.command, way.protocol, edge)
    program = await Program.start(words, environment, host.folder / "connector.log")
    try:
        yield program
    finally:
        await program.end()


def command_of(command: tuple[str, ...], protocol: str, edge: list[str]) -> list[str]:
    """The same command by another protocol, and to another edge where one is given."""
    words = list(command)
    words[words.index("--protocol") + 1] = protocol
    while edge and "--edge" in words:
        del words[words.index("--edge") : words.index("--edge") + 2]
    if edge:
        del words[words.index("--cacert") : words.index("--cacert") + 2]
        words[words.index("tunnel") + 1 : words.index("tunnel") + 1] = edge
    return words


async def ready_connections(host: Host) -> int:
    """As `/ready` tells; -1 while its port refuses."""
    try:
        return int((await _get(host, "/ready", as_json=True))["readyConnections"])
    except (aiohttp.ClientError, OSError):
        return -1


async def _get(host: Host, path: str, as_json: bool) -> Any:
    url = f"http://127.0.0.1:{host.metrics_port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await (answer.json(content_type=None) if as_json else answer.text())


async def _version(host: Host) -> str:
    if not host.connector.real:
        return "stand-in connector"
    async with connector_of(host, HTTP2[""], []):

        async def up() -> bool:
            return await ready_connections(host) >= 0

        await until("cloudflared's metrics", up, 60)
        return f"real cloudflared {version_in(await _get(host, '/metrics', as_json=False))}"
