"""kill_out_s: from kill -9 of the engine's main process to the accepted write that disables the pool.

As in the bench: each trial has a fresh agent with fresh state, and a GPU probe that hangs in its driver.
Beside it: the edge's monitor, without any agent.
"""

import random
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, load_average, spread, tidy
from tests.bench.kill import LIMIT, MOMENTS, forget, left_alone, told, trial
from tests.bench.lab import Edge, opened, provision, say, serve
from tests.real.bars.chain import BACK, Chain, about, begun

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import World

TRIALS = {"ollama": 14, "vllm": 6}
QUICK_TRIALS = {"ollama": 1, "vllm": 1}
ALONE = {"ollama": 9, "vllm": 1}
QUICK_ALONE = {"ollama": 1, "vllm": 1}
ROUNDS = 2  # of the monitor alone
EDGE = Edge(lag=(0.0, 0.0))


async def measure(chain: Chain, folder: Path, quick: bool) -> list[Figure]:
    chance = random.Random(chain.seed)
    conditions: dict[str, Any] = {**begun(), **EDGE.conditions(), "hosts": {}}
    samples: dict[str, list[float]] = {}
    for kind, times in (QUICK_TRIALS if quick else TRIALS).items():
        samples[kind], hosts = await _trials(chain, folder / kind, kind, times, chance)
        conditions["hosts"] |= hosts
    alone = await _alone(chain, folder / "alone", chance, quick)
    conditions |= {
        "load_after": load_average(),
        "gpu_probe": "hung in a driver's call since before the agent's start",
        "killed_after_serving_s": list(MOMENTS),
        "lag": "0 so that joins are quick; with the usual 0–10 s the edge applies the write so much later",
    }
    return [figure("kill_out_s", samples, conditions, alone)]


def figure(
    name: str, samples: dict[str, list[float]], conditions: dict[str, Any], alone: dict[str, Any]
) -> Figure:
    """All trials in one, the split by engine beside them."""
    everything = [each for some in samples.values() for each in some]
    beside: dict[str, Any] = {kind: by_kind(kind, some) for kind, some in samples.items()}
    late = {"not_out_in_time": sum(each >= LIMIT for each in everything)}
    return spread(name, everything, {**conditions, **late}, beside | {"monitor_alone": alone})


def by_kind(kind: str, samples: list[float]) -> dict[str, Any]:
    whole = spread(kind, samples, {})
    return {
        "n": whole.n,
        "median_s": tidy(whole.value),
        "p90_s": tidy(whole.p90),
        "max_s": tidy(whole.most),
        "each_s": [tidy(each) for each in samples],
    }


async def _trials(
    chain: Chain, folder: Path, kind: str, times: int, chance: random.Random
) -> tuple[list[float], dict[str, Any]]:
    async with opened(folder, EDGE, seed=chain.seed) as world:
        host = chain.add(world, f"killed-{kind}", kind, 80)
        await with_another(chain, world)
        pool, hosts = (await world.pool(host))["id"], await _seen(world, host)
        return [await trial(world, host, pool, chance, BACK) for _ in range(times)], hosts


async def with_another(chain: Chain, world: World) -> None:
    """A stand-in that stays in the pool without an agent, so that it is not the other hosts' alone."""
    other = chain.add(world, "other", "vllm", 20, stand_in=True)
    await provision(world, world.hosts)
    await serve(world, [other])
    await other.kill_agent()


async def _seen(world: World, host: Host) -> dict[str, Any]:
    """What runs on the host: it is started once for it, and forgets that."""
    await serve(world, [host], BACK)
    found = await about(world.hosts)
    await host.vanish()
    forget(host)
    return found


async def _alone(chain: Chain, folder: Path, chance: random.Random, quick: bool) -> dict[str, Any]:
    """Hosts that joined and lost their agents; each one's engine is killed somewhere in the interval."""
    samples: list[float] = []
    async with opened(folder, EDGE, seed=chain.seed) as world:
        for kind, many in (QUICK_ALONE if quick else ALONE).items():
            for number in range(many):
                chain.add(world, f"{kind}-{number}", kind, 10)
        hosts = list(world.hosts)
        await with_another(chain, world)
        for _ in range(1 if quick else ROUNDS):
            await abandoned(world, hosts)
            samples += await left_alone(world, hosts, chance, EDGE)
            say(f"kill_out: the monitor alone, {len(samples)} hosts left")
            for host in hosts:
                await host.vanish()
                forget(host)
    return told(samples, EDGE) | {"engines": QUICK_ALONE if quick else ALONE}


async def abandoned(world: World, hosts: list[Host]) -> None:
    """They serve, and their agents are gone."""
    await serve(world, hosts, BACK)
    for host in hosts:
        await host.kill_agent()
