"""The stage of one row: a world of its own, the struck host, its peers, users, and who watches."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.matrix.row import Row
from tests.matrix.watch import Watch
from tests.support.scenario import routed, until

from inferagent.lab.demo import programs
from inferagent.lab.demo.host import Host
from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.demo.world import Timing, World, open_world
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import Kind, Outcome, mixed

CACHE = 0.5
TIMING = Timing(
    monitor_interval=5,
    interval_scale=0.2,
    lag=(0.0, 0.5),
    cache=CACHE,
    latency=0.05,
    settings={
        "drain.settle": "2s",
        "drain.quiet": "1s",
        "drain.deadline": "20s",
        "drain.deadline_alone": "15s",
        "limits.hold_off": "2s",
        "limits.joins_per_hour": 60,
        "limits.restarts_per_hour": 20,
        "limits.no_edge": "5s",
        "limits.reconnect_first": "3s",
        "membership.monitor_bound": "5s",
        "probe.look": "500ms",
        "probe.membership": "1s",
        "probe.hang_frozen": "8s",
        "probe.hang_frozen_traffic": "5s",
        "probe.generation_deadline": "3s",
    },
)
SERVES = {"stand-in": 60.0, "real": 400.0}  # seconds from its agent's start until a host serves
RATE, CALM = 3.0, 2.0  # requests a second; seconds of quiet serving before the strike


@dataclass
class Stage:
    row: Row
    world: World
    host: Host
    peers: list[Host]
    watch: Watch
    traffic: Traffic
    struck: float = 0.0
    out: float | None = None
    back: float | None = None
    healed: float | None = None
    notes: dict[str, Any] = field(default_factory=dict)  # a fault's own, between its deeds
    endings: AsyncExitStack = field(default_factory=AsyncExitStack)  # what a fault started
    _enough: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def real(self) -> bool:
        return self.host.engine.real or self.host.connector.real

    @property
    def patience(self) -> float:
        return SERVES["real" if self.host.engine.real else "stand-in"]

    def outcomes(self) -> list[Outcome]:
        """Requests that ended after the strike."""
        return [one for one in self.traffic.outcomes if one.end >= self.struck]

    async def status(self) -> dict[str, Any]:
        """The struck host's; {} while its agent does not answer."""
        return await self.host.status() or {}

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str, seconds: float = 30.0) -> None:
        """AssertionError names what did not come."""
        await until(holds, what, seconds)

    async def serving(self, host: Host | None = None, seconds: float | None = None) -> None:
        """Until that host (the struck one) serves and the edge routes to it."""
        of = host or self.host

        async def holds() -> bool:
            status = await of.status()
            return status is not None and status["phase"] == "serving" and await routed(self.world, of)

        await self.until(holds, f"{of.name} serves", seconds or self.patience)

    async def disables(self) -> int:
        """How often the struck host's pool was disabled since the strike."""
        pool = (await self.world.pool(self.host))["id"]
        since = self.notes["journal"]
        writes = (await self.world.ask("GET", "/journal"))[since:]
        ours = [write for write in writes if write["path"].endswith(f"/{pool}")]
        return sum(write["body"].get("enabled") is False for write in ours if write["body"])


def users(real: bool) -> tuple[list[Kind], float]:
    """What they ask, and how often: two cores that other rows share make few tokens of a real model."""
    if real:
        return mixed(0.3, 4, 12, bound=30.0, stream_bound=60.0), RATE / 3
    return mixed(0.3, 4, 24, bound=15.0, stream_bound=30.0), RATE


@asynccontextmanager
async def staged(row: Row, folder: Path, real: bool) -> AsyncIterator[Stage]:
    """The hosts are made, nothing is provisioned; at the end every process is ended."""
    async with open_world(folder, TIMING) as world:
        genuine = set(row.real) if real else set[str]()
        host = world.add("struck", row.engine, 50, row.settings, stand_in=row.engine not in genuine)
        edges = world.info["edge"], world.info["cacert"]
        host.connector = programs.connector(*edges, "cloudflared" in genuine)
        peers = [world.add(f"peer-{n}", "vllm", 50, stand_in=True) for n in range(row.peers)]
        for one in world.hosts:
            one.membership = row.membership
        url, exact = world.info["public"], not host.engine.real
        kinds, rate = users(host.engine.real)
        traffic = Traffic(url, PUBLIC_NAME, kinds, rate, world.public_host, exact=exact)
        async with AsyncExitStack() as endings:
            yield Stage(row, world, host, peers, Watch(world, host), traffic, endings=endings)
