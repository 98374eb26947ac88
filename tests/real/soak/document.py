"""The result of a soak as one JSON document, and its bars."""

import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.figures import load_average, machine
from tests.real.soak.explain import Explained, changes_of, clocks, explain, words_of
from tests.real.soak.failures import split
from tests.real.soak.family import Ending
from tests.real.soak.fault import Chapter
from tests.real.soak.growth import by_minute, growths, last_life
from tests.real.soak.measure import Sample
from tests.real.soak.soak import CACHE, RATE, TIMING, Told

from inferagent.lab.demo.host import Host

EVERYTHING = "1000000"  # lines
HALF = 0.45
SHOWN = ("private", "rss", "descriptors", "threads", "tasks")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`broken`: a line for each thing that must not be."""

    bar: str
    broken: tuple[str, ...]


async def document(told: Told, seed: int, versions: dict[str, str]) -> tuple[dict[str, Any], list[Verdict]]:
    """After the soak, while the world still stands."""
    explained = [one for host in told.scene.world.hosts for one in await _explained(told, host)]
    chapters, outcomes = told.scene.chapters[1:], told.traffic.outcomes
    forgiven, late = split(outcomes, chapters, CACHE)
    grown = growths(told.meter.samples)
    verdicts = [
        Verdict("every fault is followed by a return", tuple(told.problems)),
        Verdict("no request fails that a fault may not cost", tuple(late)),
        Verdict("no growth", tuple(one.line() for one in grown if one.grown)),
        Verdict(
            "the agent's last life is at least half of the soak", short_life(told.meter.samples, told.ran)
        ),
        Verdict("nothing of an engine's life is there when the next begins", orphans(told.died)),
        Verdict("every change of membership is explained", _unexplained(explained)),
        Verdict(
            "who must leave leaves, and nobody else",
            leaving(chapters, [one for one in explained if one.host == told.scene.host.name]),
        ),
    ]
    text = {
        "soak": _conditions(told, seed, versions),
        "faults": [_chapter(one, told) for one in chapters],
        "requests": _requests(told, forgiven, late),
        "engine_lives": _lives(told),
        "growth": [_rounded(asdict(one)) | {"grown": one.grown} for one in grown],
        "agent_by_minute": {one: by_minute(told.meter.samples, "agent", one) for one in SHOWN},
        "membership": _memberships(explained, told),
        "bars": {one.bar: "met" if not one.broken else list(one.broken) for one in verdicts},
    }
    return text, verdicts


async def _explained(told: Told, host: Host) -> list[Explained]:
    world = told.scene.world
    wall, boot = clocks()
    changes = changes_of(await world.ask("GET", "/journal"), (await world.pool(host))["id"], wall)
    said = await host.command("events", "--config", str(host.config), "--json", "-n", EVERYTHING)
    words = words_of((json.loads(line) for line in said.splitlines() if line.startswith("{")), boot)
    mine = host is told.scene.host
    chapters = [
        one for number, one in enumerate(told.scene.chapters) if mine or not number or one.fault.everybody
    ]
    return explain(host.name, changes, words, chapters)


def _conditions(told: Told, seed: int, versions: dict[str, str]) -> dict[str, Any]:
    host = told.scene.host
    return {
        "date": time.strftime("%Y-%m-%d"),
        "seed": seed,
        "minutes": round(told.ran / 60, 1),
        "engine": host.engine.kind if not host.engine.real else f"real {host.engine.kind}",
        "connector": "real cloudflared" if host.connector.real else "stand-in",
        "peer": "stand-ins",
        "versions": versions,
        "requests_per_s": RATE,
        "edge_lag_s": list(TIMING.lag),
        "edge_cache_s": TIMING.cache,
        "monitor_looks_every_s": TIMING.monitor_interval * TIMING.interval_scale,
        "shortened": TIMING.settings,
        **machine(),
        "load_after": load_average(),
    }


def _chapter(one: Chapter, told: Told) -> dict[str, Any]:
    struck = one.struck or one.begun
    ended = one.ended or struck
    failed = [each for each in told.traffic.outcomes if not each.ok and struck <= each.end <= ended]
    return {
        "fault": one.fault.name,
        "at_min": round((struck - told.begun) / 60, 2),
        "out_s": None if one.out is None else round(one.out - struck, 1),
        "well_s": None if one.ended is None else round(one.ended - struck, 1),
        "failed": dict(Counter(each.cause for each in failed)),
    }


def _requests(told: Told, forgiven: dict[str, Counter[str]], late: Sequence[str]) -> dict[str, Any]:
    tally = told.traffic.tally()
    return asdict(tally) | {
        "forgiven_by_fault": {fault: dict(causes) for fault, causes in forgiven.items()},
        "broken": len(late),
    }


def _lives(told: Told) -> dict[str, Any]:
    ended = [ending for _, ending in told.died if ending.began is not None]
    gaps = [ending.gap for ending in ended if ending.gap is not None]
    return {
        "watched": len(told.died),
        "with_a_next_life": len(ended),
        "processes_each": [ending.processes for ending in ended],
        "held_mib": [round(ending.held, 1) for ending in ended],
        "last_death_to_next_start_s": _spread(gaps),
        "left_in_memory_mib": max((ending.left for ending in ended), default=0.0),
        "outlived": orphans(told.died),
    }


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in fields.items()}


def _spread(numbers: Sequence[float]) -> dict[str, float] | None:
    if not numbers:
        return None
    middle = statistics.median(numbers)
    return {"n": len(numbers), "least": round(min(numbers), 2), "median": round(middle, 2)}


def _memberships(explained: Sequence[Explained], told: Told) -> dict[str, Any]:
    causes = Counter(f"{one.fault}: {one.cause}" for one in explained if not one.enabled)
    return {
        "changes": len(explained),
        "explained": sum(not one.problem for one in explained),
        "leaving_by_fault_and_cause": dict(causes),
        "by_host": dict(Counter(one.host for one in explained)),
        "unexplained": [
            asdict(one) | {"at": round(one.at - told.begun, 1)} for one in explained if one.problem
        ],
    }


def short_life(samples: Sequence[Sample], ran: float) -> tuple[str, ...]:
    """The fault that ends an agent in the first half may take a moment of the second."""
    life = last_life([one for one in samples if one.program == "agent"], settled=0.0)
    lasted = life[-1].at - life[0].at if life else 0.0
    return () if lasted >= HALF * ran else (f"it lasted {lasted:.0f} s of {ran:.0f} s",)


def orphans(died: Sequence[tuple[str, Ending]]) -> tuple[str, ...]:
    found = [f"{name}: {who}" for name, ending in died for who in ending.outlived]
    left = [(name, ending.left) for name, ending in died if ending.left > 1.0]
    return (*found, *(f"{name}: {size} MiB are left in files in memory" for name, size in left))


def _unexplained(explained: Sequence[Explained]) -> tuple[str, ...]:
    return tuple(f"{one.host}: {one.problem}" for one in explained if one.problem)


def leaving(chapters: Sequence[Chapter], explained: Sequence[Explained]) -> tuple[str, ...]:
    """A fault that must not is told with the change that it made."""
    left = [one.at for one in explained if not one.enabled]
    must = [one for one in chapters if one.fault.leaves == "must" and one.ended is not None]
    silent = [one.fault.name for one in must if not any(one.holds(at) for at in left)]
    return tuple(f"{name}: the agent did not write that it leaves" for name in silent)
