"""hang_to_out_s, hang_to_out_ollama_s: from SIGSTOP of the process that makes the tokens to out of the pool.

Pairs of hosts, each pair behind a load balancer of its own: of two, one may leave for a hang. Within a pair
the hosts hang in turn, each after the other has come back (the bench kills the hung engine once the host is
out: how it is repaired is not measured); every number of the agent that has a part in leaving is the default.
"""

import asyncio
import random
import time
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, load_average, machine, spread, tidy
from tests.bench.lab import Edge, disabled_at, engine_with, opened, programs, provision, say, serve, until
from tests.bench.lab import until_serving as serves_again

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.demo.world import World
from inferagent.lab.processes import worker
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import mixed

PAIRS, TURNS = 5, 4
LIMIT = 90.0
RATE = 4.0
EDGE = Edge(lag=(0.0, 2.0), cache=1.0)
# Only what brings a host back sooner, for its next turn.
QUICK_RETURN: dict[str, str | int] = {"limits.hold_off": "2s", "limits.restarts_per_hour": 20}


async def vllm(folder: Path, quick: bool) -> list[Figure]:
    return [await _measure("hang_to_out_s", "vllm", folder, quick)]


async def ollama(folder: Path, quick: bool) -> list[Figure]:
    return [await _measure("hang_to_out_ollama_s", "ollama", folder, quick)]


async def _measure(name: str, kind: str, folder: Path, quick: bool) -> Figure:
    conditions: dict[str, Any] = {**machine(), **EDGE.conditions()}
    pairs = 2 if quick else PAIRS
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_pair(folder / f"pair-{number}", kind, number, 1 if quick else TURNS))
            for number in range(pairs)
        ]
    samples = [sample for task in tasks for sample in task.result()[0]]
    conditions |= tasks[0].result()[1] | {
        "load_after": load_average(),
        "pairs_at_once": pairs,
        "requests_per_s_and_pair": RATE,
        "not_out_in_time": sum(sample >= LIMIT for sample in samples),
        "shortened": QUICK_RETURN,
        "each_s": [tidy(sample) for sample in samples],
    }
    return spread(name, samples, conditions)


async def _pair(folder: Path, kind: str, number: int, turns: int) -> tuple[list[float], dict[str, Any]]:
    """The seconds of each turn, and which programs ran."""
    chance = random.Random(number)
    async with opened(folder, EDGE, seed=number) as world:
        for name in ("left", "right"):
            engine_with(world.add(name, kind, 50, QUICK_RETURN), LAB_START_SECONDS="0.5")
        await provision(world, world.hosts)
        await serve(world, world.hosts)
        traffic = traffic_of(world)
        async with asyncio.TaskGroup() as users:
            traffic.start(users)
            try:
                samples = [
                    await turn_of(world, world.hosts[(number + turn) % 2], chance, turn + 1 < turns)
                    for turn in range(turns)
                ]
            finally:
                await traffic.stop()
        return samples, programs(world.hosts)


def traffic_of(world: World, exact: bool = True) -> Traffic:
    kinds = mixed(stream_share=0.5, tokens=8, stream_tokens=60, bound=30.0, stream_bound=30.0)
    return Traffic(world.info["public"], PUBLIC_NAME, kinds, RATE, world.public_host, exact)


async def turn_of(world: World, host: Host, chance: random.Random, again: bool, back: float = 180) -> float:
    """Seconds from the hang to out; `again`: the host serves afterwards, within `back` seconds."""
    pool = (await world.pool(host))["id"]

    async def loaded() -> bool:
        return worker(host.pid("engine")) is not None

    await until(f"{host.name} has a worker", loaded, 60)
    await asyncio.sleep(chance.uniform(3, 8))
    begun = time.time()
    host.hang_engine()
    at = await disabled_at(world, pool, begun, LIMIT)
    took = LIMIT if at is None else at - begun
    say(f"hang: {world.folder.name} {host.name} ({host.engine.kind}) out after {took:.1f} s")
    if again:
        host.kill_engine()
        await serves_again(world, host, back)
    return took
