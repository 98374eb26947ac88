"""kill_to_out_s: from kill -9 of the engine to the account's accepting the write that disables the pool.

Every trial has a fresh agent with fresh state, and a GPU probe that hangs in its driver. A second host, whose
agent does not run, keeps the pool from being this host's alone. Beside it: the monitor without any agent.
"""

import asyncio
import random
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, load_average, machine, quantile, spread, tidy
from tests.bench.lab import Edge, disabled_at, engine_with, opened, programs, provision, say, serve, until

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import World
from inferagent.lab.processes import Program, kill, session_of

LIMIT = 30.0  # seconds after which a trial counts as this long
MOMENTS = (0.5, 8.5)  # seconds after serving within which the engine is killed
KEPT = "setup-undo.jsonl"  # what setup left: it is no state of the agent
STUCK = Path(__file__).with_name("stuck_probe.py")


async def measure(folder: Path, quick: bool) -> list[Figure]:
    chance = random.Random(30)
    edge = Edge(lag=(0.0, 0.0))
    conditions: dict[str, Any] = {**machine(), **edge.conditions()}
    async with opened(folder / "agent", edge, seed=4) as world:
        host = await _pair(world)
        pool = (await world.pool(host))["id"]
        conditions |= programs(world.hosts)
        samples = [await trial(world, host, pool, chance) for _ in range(5 if quick else 30)]
    conditions |= {
        "load_after": load_average(),
        "gpu_probe": "hung in a driver's call since before the agent's start",
        "killed_after_serving_s": list(MOMENTS),
        "not_out_in_time": sum(sample >= LIMIT for sample in samples),
        "lag": "0 so that joins are quick; with the usual 0–10 s the edge applies the write so much later",
        "each_s": [tidy(sample) for sample in samples],
    }
    beside = await _monitor_alone(folder / "monitor", chance, 2 if quick else 6)
    return [spread("kill_to_out_s", samples, conditions, {"monitor_alone": beside})]


async def _pair(world: World) -> Host:
    """The host under trial, not started yet; the other one is in the pool without an agent."""
    host, other = world.add("killed", "vllm", 80), world.add("other", "vllm", 20)
    for each in world.hosts:
        engine_with(each, LAB_START_SECONDS="0.3")
    await provision(world, world.hosts)
    await serve(world, [other])
    await other.kill_agent()
    return host


async def trial(world: World, host: Host, pool: str, chance: random.Random, start: float = 180) -> float:
    """Seconds from the death to out; `start` is how long agent and engine may take to serve."""
    probe = await _fresh(host)
    engine = 0
    try:
        await serve(world, [host], start)
        await asyncio.sleep(chance.uniform(*MOMENTS))
        await _check(host)
        engine, begun = host.pid("engine"), time.time()
        host.kill_engine()
        at = await disabled_at(world, pool, begun, LIMIT)
    finally:
        await host.vanish()
        await probe.end()
        for left in session_of(engine):
            kill(left.pid)
    took = LIMIT if at is None else at - begun
    say(f"kill: out after {took:.3f} s")
    return took


def forget(host: Host) -> None:
    """No state but what setup wrote; nothing of the host runs."""
    shutil.rmtree(host.run, ignore_errors=True)
    for path in (host.folder / "state").iterdir():
        if path.name != KEPT:
            path.unlink()


async def _fresh(host: Host) -> Program:
    """It remembers nothing; the stuck probe runs."""
    forget(host)
    log = host.folder / "stuck.log"
    log.unlink(missing_ok=True)
    probe = await Program.start([sys.executable, str(STUCK), "--run", str(host.run.absolute())], {}, log)

    async def stuck() -> bool:
        return log.read_text() == "stuck\n"

    await until("the stuck GPU probe", stuck, 30)
    return probe


async def _check(host: Host) -> None:
    """The trial is void unless the host serves and its agent knows of a stuck GPU."""
    status = await host.status()
    codes = [finding["code"] for finding in status["findings"]] if status else []
    if status is None or status["phase"] != "serving" or "gpu-stuck" not in codes:
        phase = status["phase"] if status else "no answer"
        raise RuntimeError(f"cannot kill {host.name} now: {phase}, findings {codes}")


async def _monitor_alone(folder: Path, chance: random.Random, hosts: int) -> dict[str, Any]:
    """Hosts that joined and lost their agents; each one's engine is killed somewhere in the interval."""
    edge = Edge(lag=(0.0, 0.0))
    async with opened(folder, edge, seed=5) as world:
        for number in range(hosts + 1):
            engine_with(world.add(f"host-{number}", "vllm", 10), LAB_START_SECONDS="0.3")
        await provision(world, world.hosts)
        await serve(world, world.hosts)
        for host in world.hosts:
            await host.kill_agent()
        return told(await left_alone(world, world.hosts[1:], chance, edge), edge)


async def left_alone(world: World, hosts: list[Host], chance: random.Random, edge: Edge) -> list[float]:
    """Of hosts without agents: seconds from the death of the engine until the edge has left the host."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_until_routed_away(world, host, chance.uniform(0, edge.monitor_interval)))
            for host in hosts
        ]
    return [task.result() for task in tasks]


def told(samples: list[float], edge: Edge) -> dict[str, Any]:
    figure = spread("monitor_alone", samples, {})
    return {
        "median_s": tidy(figure.value),
        "p90_s": tidy(quantile(samples, 0.9)),
        "max_s": tidy(figure.most),
        "n": figure.n,
        "monitor_interval_s": edge.monitor_interval,
        "until": "the edge routes nothing more there; up to 5 s of resolved addresses come on top",
    }


async def _until_routed_away(world: World, host: Host, wait: float) -> float:
    await asyncio.sleep(wait)
    begun = time.monotonic()
    host.kill_engine()

    async def away() -> bool:
        return not await world.routes_to(host)

    await until(f"{host.name} is left by the edge", away, 180)
    took = time.monotonic() - begun
    say(f"kill: {host.name} left by the monitor after {took:.1f} s")
    return took
