"""Two hosts of one membership in a lab world of their own, under light traffic.

A drain, a kill of an engine, and agents that end and return: what each took, and what it cost the users.
"""

import asyncio
import json
import signal
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import tomlkit

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.demo.world import Timing, World, open_world
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import Outcome, mixed

CONNECTOR = Path(__file__).with_name("replica_connector.py")
SHARED_ENGINE, SHARED_READY = 8000, 8790  # the ports of replicas, each on its own loopback
RATE = 4.0  # requests a second
SLOW = 90.0  # seconds: the machine may be busy with other tests, the figures say how long it took
LOOK = 0.15
AWAY = 3.0  # as long as the monitor needs for three looks

QUICK = Timing(
    monitor_interval=5,
    interval_scale=0.2,
    lag=(0.0, 1.0),
    cache=0.5,
    latency=0.05,
    settings={
        "drain.settle": "2s",
        "drain.quiet": "1s",
        "limits.hold_off": "1s",
        "limits.joins_per_hour": 60,
        "limits.restarts_per_hour": 20,
        "membership.monitor_bound": "5s",
        "probe.look": "500ms",
        "probe.membership": "1s",
    },
)
SAID = (
    "the monitor looks every 1 s, pool changes arrive within 1 s, settle 2 s, quiet 1 s, "
    "monitor bound 5 s, hold-off 1 s"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One membership's. Seconds; `back` counts from the kill. `late`: failed although the host was out."""

    membership: str
    drain: float
    drain_failed: int
    drain_sent: int
    kill_out: float
    kill_back: float
    kill_failed: int
    kill_sent: int
    late: tuple[str, ...]
    away_failed: int
    away_changed: tuple[str, ...]  # what was no longer as before when the agents were gone, or back

    def line(self) -> str:
        return (
            f"{self.membership:8}  drain {self.drain:4.1f} s, {self.drain_failed}/{self.drain_sent} failed; "
            f"kill -9 → out {self.kill_out:.1f} s, back {self.kill_back:.1f} s, "
            f"{self.kill_failed}/{self.kill_sent} failed; agents away: {len(self.away_changed)} changes"
        )


async def play(membership: str, folder: Path) -> Figures:
    """Provision and join, then each act until all is as before."""
    async with open_world(folder, QUICK) as world, _provisioned(world, membership) as traffic:
        begun = _now()
        drain = await _drain_and_resume(world)
        struck = _now()
        out, back = await _kill(world)
        left = _now()
        changed = await _agents_away(world)
        returned = _now()
    calm, shaken = _between(traffic, begun, struck), _between(traffic, struck, left)
    late = [o for o in shaken if o.cause and o.start > out + QUICK.cache]
    return Figures(
        membership=membership,
        drain=drain,
        drain_failed=_failed(calm),
        drain_sent=len(calm),
        kill_out=out - struck,
        kill_back=back - struck,
        kill_failed=_failed(shaken),
        kill_sent=len(shaken),
        late=tuple(f"{o.cause} at {o.host or '?'} {o.start - out:.1f} s after it was out" for o in late),
        away_failed=_failed(_between(traffic, left, returned)),
        away_changed=changed,
    )


async def _drain_and_resume(world: World) -> float:
    """Seconds that `drain --wait` took."""
    host = await _busiest(world)
    words = ("drain", "--config", str(host.config), "--wait", "--reason", "scenario")
    last: tuple[str, ...] = ()
    if host.membership != "own-pool":  # its peers cannot be read (S2)
        await until(lambda: _reads_in(host), f"{host.name} has read that it is in")
        assert "needs --last" in await host.command(*words, allowed=(1,))
        last = ("--last",)
    begun = _now()
    await host.command(*words, *last)
    took = _now() - begun
    assert not await routed(world, host), f"{host.name} is drained and still in"
    await host.command("resume", "--config", str(host.config))
    await until(lambda: _serving(world, host), f"{host.name} serves after resume")
    return took


async def _kill(world: World) -> tuple[float, float]:
    """When the edge routed nothing more to the host, and when it served again."""
    host = await _busiest(world)
    host.kill_engine()
    await until(lambda: _not(routed(world, host)), f"{host.name} is out after the kill")
    out = _now()
    await until(lambda: _serving(world, host), f"{host.name} serves after the kill")
    return out, _now()


async def _agents_away(world: World) -> tuple[str, ...]:
    """One agent is killed, one ends in order; both return. What changed."""
    before = await _outside(world)
    for host, which in zip(world.hosts, (signal.SIGKILL, signal.SIGTERM), strict=True):
        await host.kill_agent(which)
    await asyncio.sleep(AWAY)
    gone = await _outside(world)
    for host in world.hosts:
        await host.start_agent()
    for host in world.hosts:
        await until(lambda host=host: _serving(world, host), f"{host.name} goes on")  # type: ignore[misc]
    back = await _outside(world)
    return tuple(
        f"{what}: {before[what]} → {then[what]} ({when})"
        for when, then in (("agents gone", gone), ("agents back", back))
        for what in before
        if before[what] != then[what]
    )


async def _outside(world: World) -> dict[str, object]:
    """What no agent may touch by ending or by returning."""
    found: dict[str, object] = {"writes": len(await world.ask("GET", "/journal"))}
    for host in world.hosts:
        found[f"{host.name} engine"] = host.pid("engine")
        found[f"{host.name} connector"] = host.pid("connector")
        found[f"{host.name} ready program"] = json.loads((host.run / "ready.json").read_text())["pid"]
        found[f"{host.name} routed"] = await routed(world, host)
    return found


@asynccontextmanager
async def _provisioned(world: World, membership: str) -> AsyncIterator[Traffic]:
    """Both hosts serve and are routed to; users are on them until the end."""
    for name in ("gpu-a", "gpu-b"):
        host = world.add(name, "vllm", 50)
        host.membership = membership
        await world.own_token(host)
        await (_set_up_replica(world, host) if membership == "replica" else host.setup(world.info))
    for host in world.hosts:
        await host.start_agent()
    for host in world.hosts:
        await until(lambda host=host: _serving(world, host), f"{host.name} serves")  # type: ignore[misc]
    kinds = mixed(0.4, 4, 20, bound=10.0, stream_bound=20.0)
    traffic = Traffic(world.info["public"], PUBLIC_NAME, kinds, RATE, world.public_host)
    async with asyncio.TaskGroup() as group:
        traffic.start(group)
        try:
            yield traffic
        finally:
            await traffic.stop()


async def _set_up_replica(world: World, host: Host) -> None:
    """Set up with the ports that all replicas share; what they are on this machine, only this host learns."""
    ports = f"{SHARED_ENGINE}={host.engine_port},{SHARED_READY}={host.ready_port}"
    words = host.connector.command
    stand_in = (sys.executable, str(CONNECTOR), ports, *words[words.index("tunnel") :])
    host.connector = replace(host.connector, command=stand_in)
    await replace(host, engine_port=SHARED_ENGINE, ready_port=SHARED_READY).setup(world.info)
    engine = tomllib.loads((host.config / "config.toml").read_text())["engine"][0]
    engine["url"] = f"http://127.0.0.1:{host.engine_port}"
    here = {"engine": [engine], "ready": {"port": host.ready_port}}
    (host.config / "conf.d").mkdir(exist_ok=True)
    (host.config / "conf.d" / "here.toml").write_text(tomlkit.dumps(here))


async def routed(world: World, host: Host) -> bool:
    """Whether the edge would send a user's request to this host now, by whatever its membership says."""
    match host.membership:
        case "own-pool":
            return await world.routes_to(host)
        case "pull":
            return await _monitored(world, host)
        case _:
            return bool(await _connections(world, host))


async def _monitored(world: World, host: Host) -> bool:
    """The verdict of the shared pool's monitor on this host's endpoint."""
    state = await world.ask("GET", "/state")
    shared = next(pool for pool in state["pools"].values() if pool.get("monitor"))
    address = next(entry["address"] for entry in shared["origins"] if entry["name"] == host.name)
    detail = (state["health"].get(shared["id"]) or {}).get("detail", {})
    return bool(detail.get(address, {}).get("healthy"))


async def _connections(world: World, host: Host) -> list[int]:
    """The places of this host's connector in the edge's book of the shared tunnel; the first is nearest."""
    own = await _connector_id(host)
    tunnels = (await world.ask("GET", "/edge"))["tunnels"]
    return [
        place
        for connections in tunnels.values()
        for place, connection in enumerate(connections)
        if connection["client_id"] == own
    ]


async def _connector_id(host: Host) -> str:
    """ "" while no connector runs: what it had registered, it took back before it ended."""
    url = f"http://127.0.0.1:{host.metrics_port}/ready"
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return str((await answer.json(content_type=None))["connectorId"])
    except aiohttp.ClientError:
        return ""


async def _busiest(world: World) -> Host:
    """The host to strike: of replicas the nearest, which gets all requests."""
    if world.hosts[0].membership != "replica":
        return world.hosts[0]
    places = [(await _connections(world, host), host.name, host) for host in world.hosts]
    return min(place for place in places if place[0])[2]


async def _serving(world: World, host: Host) -> bool:
    status = await host.status()
    return status is not None and status["phase"] == "serving" and await routed(world, host)


async def _reads_in(host: Host) -> bool:
    status = await host.status()
    return status is not None and status["membership"]["state"] == "in"


async def _not(answer: Awaitable[bool]) -> bool:
    return not await answer


async def until(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = SLOW) -> None:
    """Look again and again; AssertionError names what did not come."""
    end = _now() + seconds
    while not await holds():
        assert _now() < end, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(LOOK)


def _between(traffic: Traffic, begun: float, ended: float) -> list[Outcome]:
    return [outcome for outcome in traffic.outcomes if begun <= outcome.end < ended]


def _failed(outcomes: list[Outcome]) -> int:
    return sum(bool(outcome.cause) for outcome in outcomes)


def _now() -> float:
    return asyncio.get_running_loop().time()
