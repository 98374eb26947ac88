"""The lab's world: one account and edge, and the hosts that setup provisioned in it."""

import asyncio
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp

from inferagent.lab.cloudflare.server import PERMISSIONS
from inferagent.lab.demo import programs
from inferagent.lab.demo.host import Host
from inferagent.lab.processes import Program

PORTS = (10_000, 32_000)
EMPTY: Mapping[str, str | int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Timing:
    """What the lab shortens, in seconds; printed by whoever shortens it."""

    monitor_interval: int = 5
    interval_scale: float = 0.4  # the edge looks so much more often than the monitor says
    lag: tuple[float, float] = (0.0, 2.0)
    cache: float = 1.0
    latency: float = 0.1
    settings: dict[str, str | int] = field(default_factory=dict)


SHORT = Timing(
    settings={
        "drain.settle": "4s",
        "drain.quiet": "2s",
        "limits.hold_off": "3s",
        "probe.membership": "2s",
        "probe.look": "1s",
        "probe.hang_frozen": "8s",
        "probe.hang_frozen_traffic": "6s",
        "probe.generation_deadline": "4s",
        "limits.restarts_per_hour": 20,
        "limits.joins_per_hour": 60,
    }
)


@dataclass
class World:
    folder: Path
    info: dict[str, Any]
    program: Program
    timing: Timing
    hosts: list[Host] = field(default_factory=list)

    @property
    def public_host(self) -> str:
        return f"llm.{self.info['zone_name']}"

    async def own_token(self, host: Host) -> None:
        """Give the host an API token of its own."""
        value = secrets.token_urlsafe(30)
        body = {"value": value, "permissions": sorted(PERMISSIONS)}
        host.token = str((await self.ask("POST", "/tokens", body))["id"])
        host.token_file = host.folder / "api-token"
        host.token_file.touch(mode=0o600)
        host.token_file.write_text(value + "\n")

    async def routes_to(self, host: Host) -> bool:
        """Whether the edge would send a user's request to this host now."""
        pools = (await self.ask("GET", "/state"))["pools"]
        pool = next((pool for pool in pools.values() if pool["name"] == host.name), None)
        return pool is not None and bool((await self.ask("GET", "/edge"))["routed"].get(pool["id"]))

    def add(
        self,
        name: str,
        kind: str,
        weight: int,
        settings: Mapping[str, str | int] = EMPTY,
        stand_in: bool = False,
    ) -> Host:
        """A host that is not provisioned yet; `settings` beside the world's own.

        `stand_in`: no real engine or connector for this host, although the environment names them.
        """
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        ports = free_ports(3)
        make = programs.vllm if kind == "vllm" else programs.ollama
        engine = make(folder, not stand_in).bound_to(ports[0], name)
        connector = programs.connector(self.info["edge"], self.info["cacert"], not stand_in)
        host = Host(
            name=name,
            weight=weight,
            folder=folder,
            engine=engine,
            connector=connector,
            engine_port=ports[0],
            metrics_port=ports[1],
            ready_port=ports[2],
            settings={**self.timing.settings, **settings},
        )
        self.hosts.append(host)
        return host

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """The lab's own door: faults, state, the edge's orders."""
        url = self.info["lab"] + path
        async with aiohttp.ClientSession() as session, session.request(method, url, json=body) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def fault(self, **fields: object) -> str:
        return str((await self.ask("POST", "/faults", fields))["id"])

    async def mend(self) -> None:
        await self.ask("DELETE", "/faults")

    async def pool(self, host: Host) -> dict[str, Any]:
        """The host's pool as the account has it."""
        pools = (await self.ask("GET", "/state"))["pools"]
        return next(pool for pool in pools.values() if pool["name"] == host.name)

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]], seconds: float) -> float:
        """Seconds until it held; TimeoutError names what did not come."""
        begun = asyncio.get_running_loop().time()
        while not await holds():
            if asyncio.get_running_loop().time() - begun > seconds:
                raise TimeoutError(f"{what}: not within {seconds:.0f} s")
            await asyncio.sleep(0.1)
        return asyncio.get_running_loop().time() - begun

    async def in_phase(self, host: Host, phase: str, seconds: float = 60) -> float:
        async def holds() -> bool:
            status = await host.status()
            return status is not None and status["phase"] == phase

        return await self.until(f"{host.name} {phase}", holds, seconds)


@asynccontextmanager
async def open_world(folder: Path, timing: Timing = SHORT, seed: int = 0) -> AsyncIterator[World]:
    """Account and edge run while the context lasts; at its end every process of the world is ended."""
    low, high = timing.lag
    argv = [sys.executable, "-m", "inferagent.lab.cloud", "--dir", str(folder / "cloud"), "--seed", str(seed)]
    argv += ["--lag", str(low), str(high), "--cache", str(timing.cache), "--latency", str(timing.latency)]
    argv += ["--monitor-interval-min", "1", "--interval-scale", str(timing.interval_scale)]
    log = _made(folder) / "cloud.log"
    program = await Program.start(argv, {}, log)
    world: World | None = None
    try:
        info = await _first_line(log, program)
        world = World(folder, {**info, "monitor_interval": timing.monitor_interval}, program, timing)
        yield world
    finally:
        for host in world.hosts if world else ():
            await host.end()
        await program.end()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def _first_line(log: Path, program: Program) -> dict[str, Any]:
    for _ in range(600):  # half a minute: a busy machine is no reason to give up
        line = log.read_text().partition("\n")
        if line[1] and line[0].startswith("{"):
            found: dict[str, Any] = json.loads(line[0])
            return found
        if program.exit_code is not None:
            break
        await asyncio.sleep(0.05)
    raise RuntimeError(f"cannot start the lab's account and edge:\n{log.read_text()}")


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now, below those that the kernel gives away by itself."""
    sockets: list[socket.socket] = []
    try:
        while len(sockets) < count:
            one = socket.socket()
            sockets.append(one)
            try:
                one.bind(("127.0.0.1", secrets.randbelow(PORTS[1] - PORTS[0]) + PORTS[0]))
            except OSError:
                sockets.pop().close()
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
