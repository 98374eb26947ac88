"""hang_out_vllm_s, hang_out_ollama_s: from SIGSTOP of the process that makes the tokens to out of the pool.

Pairs of hosts, each pair behind a load balancer of its own, while users ask. Each trial begins with an agent
without state; every number of the agent is the default. Beside it: the edge's monitor, without any agent.
"""

import asyncio
import random
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, load_average, spread, tidy
from tests.bench.hang import LIMIT, RATE, traffic_of, turn_of
from tests.bench.kill import forget
from tests.bench.lab import Edge, opened, provision, say, serve
from tests.real.bars.chain import BACK, Chain, about, begun
from tests.real.bars.kill_out import abandoned, with_another

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import World

EDGE = Edge(lag=(0.0, 2.0), cache=1.0)
OLLAMA_PAIRS, OLLAMA_TURNS, VLLM_TURNS = 3, 5, 6
ALONE = {"ollama": 4, "vllm": 1}
QUICK_ALONE = {"ollama": 1, "vllm": 1}
BLIND = 180.0  # seconds for which the monitor alone is watched: three of its intervals
Samples = tuple[list[float], dict[str, Any]]


async def measure(chain: Chain, folder: Path, quick: bool) -> list[Figure]:
    conditions: dict[str, Any] = {**begun(), **EDGE.conditions(), "requests_per_s_and_pair": RATE}
    pairs, turns, few = (1, 1, 1) if quick else (OLLAMA_PAIRS, OLLAMA_TURNS, VLLM_TURNS)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_ollama(chain, folder / f"pair-{number}", number, turns))
            for number in range(pairs)
        ]
    ollama = [each for task in tasks for each in task.result()[0]], tasks[0].result()[1]
    vllm = await _vllm(chain, folder / "vllm", few)
    alone = await _alone(chain, folder / "alone", quick)
    conditions["load_after"] = load_average()
    return [
        _figure("hang_out_vllm_s", vllm, conditions, alone),
        _figure("hang_out_ollama_s", ollama, conditions | {"pairs_at_once": pairs}, alone),
    ]


def _figure(name: str, taken: Samples, conditions: dict[str, Any], alone: dict[str, Any]) -> Figure:
    samples, hosts = taken
    own = {
        "hosts": hosts,
        "not_out_in_time": sum(sample >= LIMIT for sample in samples),
        "each_s": [tidy(sample) for sample in samples],
    }
    return spread(name, samples, conditions | own, {"monitor_alone": alone})


async def _ollama(chain: Chain, folder: Path, number: int, turns: int) -> Samples:
    """A pair of Ollamas that hang in turn."""
    async with opened(folder, EDGE, seed=chain.seed + number) as world:
        for name in ("left", "right"):
            chain.add(world, name, "ollama", 50)
        victims = [world.hosts[(number + turn) % 2] for turn in range(turns)]
        return await _turns(chain, world, victims, number)


async def _vllm(chain: Chain, folder: Path, turns: int) -> Samples:
    """A vLLM that hangs again and again, beside an Ollama that is well."""
    async with opened(folder, EDGE, seed=chain.seed) as world:
        host = chain.add(world, "hangs", "vllm", 50)
        chain.add(world, "well", "ollama", 50)
        return await _turns(chain, world, [host] * turns, turns)


async def _turns(chain: Chain, world: World, victims: list[Host], seed: int) -> Samples:
    chance, samples = random.Random(chain.seed + seed), list[float]()
    await provision(world, world.hosts)
    await serve(world, world.hosts, BACK)
    hosts, traffic = await about(world.hosts), traffic_of(world, exact=chain.stand_ins)
    async with asyncio.TaskGroup() as users:
        traffic.start(users)
        try:
            for number, host in enumerate(victims):
                if number:
                    await _renewed(world, victims[number - 1])
                samples.append(await turn_of(world, host, chance, again=False))
        finally:
            await traffic.stop()
    return samples, hosts


async def _renewed(world: World, host: Host) -> None:
    """The host that hung serves again, with an agent that remembers nothing."""
    await host.vanish()
    forget(host)
    await serve(world, [host], BACK)


async def _alone(chain: Chain, folder: Path, quick: bool) -> dict[str, Any]:
    """All hang at once; their agents do not run."""
    many = QUICK_ALONE if quick else ALONE
    async with opened(folder, EDGE, seed=chain.seed) as world:
        for kind, number in many.items():
            for each in range(number):
                chain.add(world, f"{kind}-{each}", kind, 10)
        hosts = list(world.hosts)
        await with_another(chain, world)
        await abandoned(world, hosts)
        for host in hosts:
            if not host.hang_engine():
                raise RuntimeError(f"cannot hang {host.name}: it has no worker")
        left = await _watched(world, hosts, BLIND / 6 if quick else BLIND)
    say(f"hang_out: the monitor alone left {len(left)} of {len(hosts)}")
    return {
        "n": len(hosts),
        "engines": many,
        "watched_s": BLIND / 6 if quick else BLIND,
        "monitor_interval_s": EDGE.monitor_interval,
        "left_by_the_edge": len(left),
        "each_s": left,
    }


async def _watched(world: World, hosts: list[Host], seconds: float) -> list[float]:
    """After how many seconds the edge left each host, of those that it left."""
    now, gone = asyncio.get_running_loop().time, dict[str, float]()
    begun = now()
    while now() - begun < seconds:
        for host in hosts:
            if host.name not in gone and not await world.routes_to(host):
                gone[host.name] = tidy(now() - begun)
        await asyncio.sleep(1.0)
    return sorted(gone.values())
