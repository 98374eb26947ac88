"""load_failed, load_concurrent, load_drains: more users than two engines serve at once, and nobody leaves.

Each user asks again as soon as the answer is there, streams and plain requests mixed; the agents are in mode
act. What an agent says is looked at all the time, and the account's journal at the end.
"""

import asyncio
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from tests.bench.drain import causes
from tests.bench.figures import Figure, count, load_average, quantile, tidy
from tests.bench.lab import Edge, opened, provision, say, serve
from tests.real.bars.chain import BACK, PARALLEL, Chain, about, begun, served

from inferagent.lab.demo.world import World
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import Kind, Outcome, mixed

CROWD = 80
SECONDS, QUICK_SECONDS = 120.0, 15.0
LOOK = 0.5
WINDOW = 10.0  # seconds, for the failures by window
PAUSE = 0.5  # a user whose request failed thinks so long before the next
TOKENS = (8, 60)


@dataclass
class Crowd(Traffic):
    """So many users, each with one request under way, instead of a rate."""

    users: int = CROWD
    at_once: list[int] = field(default_factory=list)  # requests under way, at each look

    async def _send(self, session: aiohttp.ClientSession, group: asyncio.TaskGroup) -> None:
        for number in range(self.users):
            group.create_task(self._user(session, number))
        while not self._stopping.is_set():
            await asyncio.sleep(LOOK)
            self.at_once.append(len(self.under_way))

    async def _user(self, session: aiohttp.ClientSession, number: int) -> None:
        """Begins with another kind than the neighbour, and takes them in turn."""
        while not self._stopping.is_set():
            self.sent += 1
            number += 1
            before = len(self.outcomes)
            await self._one(session, self.kinds[number % len(self.kinds)], self.sent)
            if any(not outcome.ok for outcome in self.outcomes[before:]):
                await asyncio.sleep(PAUSE)


async def measure(chain: Chain, folder: Path, quick: bool) -> list[Figure]:
    edge = Edge()
    seconds = QUICK_SECONDS if quick else SECONDS
    conditions: dict[str, Any] = {**begun(), **edge.conditions()}
    async with opened(folder, edge, seed=chain.seed) as world:
        for kind in ("vllm", "ollama"):
            chain.add(world, f"busy-{kind}", kind, 50)
        await provision(world, world.hosts)
        await serve(world, world.hosts, BACK)
        conditions["hosts"] = await about(world.hosts)
        crowd = crowd_of(chain, world)
        before, since = await served(world), time.time()
        phases = await _drive(world, crowd, seconds)
        leaves = await left(world, since)
        conditions["served_by_host"] = {name: n - before[name] for name, n in (await served(world)).items()}
    conditions |= {"load_after": load_average(), "phases_seen": phases} | _conditions(crowd, seconds)
    return figures(crowd.outcomes, crowd.at_once, leaves, conditions)


def crowd_of(chain: Chain, world: World) -> Crowd:
    plain = chain.traffic(world, kinds_of(), 0.0)
    return Crowd(plain.url, plain.model, plain.kinds, plain.rate, plain.host, plain.exact, plain.host_header)


def kinds_of() -> list[Kind]:
    """Bounds below the edge's own: whoever waits for longer is answered 524 by it."""
    return mixed(0.5, *TOKENS, bound=110.0, stream_bound=110.0)


async def _drive(world: World, crowd: Crowd, seconds: float) -> dict[str, int]:
    """How often the agents told each phase and root cause while the crowd asked."""
    told: Counter[str] = Counter()
    async with asyncio.TaskGroup() as group:
        crowd.start(group)
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await asyncio.sleep(2 * LOOK)
                told.update([_told(await host.status()) for host in world.hosts])
            say(f"load: {len(crowd.outcomes)} answers, {len(crowd.under_way)} requests under way")
        finally:
            await crowd.stop()
    return dict(told)


def _told(status: dict[str, Any] | None) -> str:
    if status is None:
        return "no answer"
    codes = sorted(finding["code"] for finding in status["findings"])
    return " ".join([str(status["phase"]), *codes])


async def left(world: World, since: float) -> int:
    """Writes since then that took a pool out."""
    journal = await world.ask("GET", "/journal")
    return sum(
        write["time"] >= since and (write.get("body") or {}).get("enabled") is False for write in journal
    )


def _conditions(crowd: Crowd, seconds: float) -> dict[str, Any]:
    return {
        "users": crowd.users,
        "seconds": seconds,
        "tokens": list(TOKENS),
        "stream_share": 0.5,
        "bound_s": 110,
        "ollama_num_parallel": PARALLEL,
        "vllm_max_num_seqs": 8,
        "mode": "act",
    }


def figures(
    outcomes: list[Outcome], at_once: list[int], leaves: int, conditions: dict[str, Any]
) -> list[Figure]:
    failed = [outcome for outcome in outcomes if not outcome.ok]
    beside: dict[str, Any] = {"causes": causes(failed)}
    for kind in sorted({outcome.kind for outcome in outcomes}):
        took = [outcome.end - outcome.start for outcome in outcomes if outcome.kind == kind]
        beside[kind] = {
            "requests": len(took),
            "median_s": tidy(statistics.median(took)),
            "max_s": tidy(max(took)),
        }
    looks = [float(number) for number in at_once[1:-1]] or [0.0]
    return [
        count("load_failed", len(failed), windows(failed, outcomes), conditions, beside),
        Figure(
            "load_concurrent",
            "requests",
            int(statistics.median(looks)),
            len(looks),
            quantile(looks, 0.9),
            max(looks),
            {},
            {"least": int(min(looks))},
        ),
        Figure("load_drains", "drains", leaves, 1, leaves, leaves),
    ]


def windows(failed: list[Outcome], outcomes: list[Outcome]) -> list[int]:
    """Failures in each ten seconds."""
    if not outcomes:
        return []
    first, last = min(each.start for each in outcomes), max(each.end for each in outcomes)
    counted = Counter(int((each.end - first) // WINDOW) for each in failed)
    return [counted[number] for number in range(int((last - first) // WINDOW) + 1)]
