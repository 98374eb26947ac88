"""The lab as a measurement needs it: worlds with named delays, hosts that serve, the moment of a write."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import Timing, World
from inferagent.lab.processes import Program

PACE = 0.5  # seconds between two looks of the bench, so that it costs what it measures little
API_LATENCY = 0.1


@dataclass(frozen=True, slots=True)
class Edge:
    """Delays in seconds; `first_look` as a share of the interval, so that joins need not wait for a round."""

    lag: tuple[float, float] = (0.0, 10.0)
    cache: float = 5.0
    monitor_interval: int = 60
    first_look: tuple[float, float] = (0.02, 0.06)

    def conditions(self) -> dict[str, Any]:
        return {
            "edge_lag_s": list(self.lag),
            "edge_cache_s": self.cache,
            "monitor_interval_s": self.monitor_interval,
            "first_look_after_enabling_s": [share * self.monitor_interval for share in self.first_look],
            "api_latency_s": API_LATENCY,
        }


@asynccontextmanager
async def opened(folder: Path, edge: Edge, seed: int) -> AsyncIterator[World]:
    """An account and an edge; at the end every process of the world is ended."""
    argv, log = _command(folder, edge, seed), folder / "cloud.log"
    program = await Program.start(argv, {}, log)
    world: World | None = None
    try:
        info = await _announced(log, program)
        timing = Timing(monitor_interval=edge.monitor_interval, lag=edge.lag, cache=edge.cache)
        world = World(folder, {**info, "monitor_interval": edge.monitor_interval}, program, timing)
        yield world
    finally:
        for host in world.hosts if world else ():
            await host.end()
        await program.end()


def _command(folder: Path, edge: Edge, seed: int) -> list[str]:
    """What starts the account and the edge; the folder is there afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    low, high = edge.lag
    near, far = edge.first_look
    words: dict[str, list[object]] = {
        "--dir": [folder / "cloud"],
        "--seed": [seed],
        "--lag": [low, high],
        "--cache": [edge.cache],
        "--latency": [API_LATENCY],
        "--first-look": [near, far],
        "--monitor-interval-min": [1],
    }
    argv = [str(word) for name, values in words.items() for word in (name, *values)]
    return [sys.executable, "-m", "inferagent.lab.cloud", *argv]


async def _announced(log: Path, program: Program) -> dict[str, Any]:
    async def said() -> bool:
        if program.exit_code is not None:
            raise RuntimeError(f"cannot start the lab's account and edge:\n{text_of(log)}")
        return "\n" in text_of(log)

    await until("the lab's account and edge", said, 60)
    found: dict[str, Any] = json.loads(text_of(log).partition("\n")[0])
    return found


def text_of(log: Path) -> str:
    return log.read_text(errors="replace")


async def until(what: str, holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """TimeoutError names what did not come."""
    begun = time.monotonic()
    while not await holds():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(PACE)


def engine_with(host: Host, **environment: str) -> None:
    """Settings of the stand-in engine. SystemExit where a real one was found: it cannot be told."""
    if host.engine.real:
        raise SystemExit(f"cannot measure with {host.engine.about}: the bench needs the stand-in engines")
    host.engine = replace(host.engine, environment={**host.engine.environment, **environment})


async def provision(world: World, hosts: Iterable[Host]) -> None:
    """One after the other: they share a load balancer, which no two may change at once."""
    for host in hosts:
        await world.own_token(host)
        await host.setup(world.info)


async def serve(world: World, hosts: list[Host], seconds: float = 180) -> None:
    """Start the agents and wait until each host serves and the edge routes to it."""
    for host in hosts:
        await host.start_agent()
    for host in hosts:
        await until_serving(world, host, seconds)


async def until_serving(world: World, host: Host, seconds: float = 180) -> None:
    async def serving() -> bool:
        status = await host.status()
        return status is not None and status["phase"] == "serving" and await world.routes_to(host)

    await until(f"{host.name} serves", serving, seconds)


async def disabled_at(world: World, pool: str, since: float, seconds: float) -> float | None:
    """The wall second at which the account accepted the write that disables the pool; None: none came.

    The first second is left to the agent alone.
    """
    await asyncio.sleep(1.0)
    while time.time() - since < seconds:
        for write in await world.ask("GET", "/journal"):
            ours = write["method"] == "PATCH" and write["path"].endswith(f"/{pool}")
            if ours and write["time"] >= since and write["body"].get("enabled") is False:
                return float(write["time"])
        await asyncio.sleep(PACE)
    return None


def programs(hosts: Iterable[Host]) -> dict[str, Any]:
    listed = list(hosts)
    return {
        "engines": sorted({host.engine.about for host in listed}),
        "connector": listed[0].connector.about,
        "hosts": len(listed),
    }


def say(text: str) -> None:
    """Progress, beside the figures."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()
