"""The noise of the trace, as data and by a seed: what happens to healthy hosts, how often and how long."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from inferagent.model.desired import EngineKind

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0
BOTH = (EngineKind.VLLM, EngineKind.OLLAMA)
VLLM, OLLAMA = (EngineKind.VLLM,), (EngineKind.OLLAMA,)


@dataclass(frozen=True, slots=True)
class Noise:
    """One kind: times a day on each host of these engines, and from how long to how long, in seconds."""

    name: str
    a_day: float
    shortest: float = 0.0
    longest: float = 0.0
    engines: tuple[EngineKind, ...] = BOTH


NOISES = (
    # what users do
    Noise("burst", 5.0, 20.0, 90.0),
    Noise("long prompt", 16.0, engines=VLLM),
    Noise("long answer", 8.0, engines=OLLAMA),
    Noise("flood", 2.0, engines=OLLAMA),
    Noise("LAN user", 6.0, engines=OLLAMA),
    # what looks at the engine show
    Noise("hidden", 4.0, MINUTE, HOUR),  # counters missing, or under another name
    Noise("none", 1.5, 10.0, 900.0),  # no counter at all
    Noise("sockets", 3.0, 5.0, 900.0, OLLAMA),
    Noise("processes", 2.0, 5.0, 900.0, OLLAMA),
    Noise("reset", 3.0),
    Noise("slow", 6.0, 3.0, 90.0),
    Noise("torn", 6.0, 5.0, 300.0),
    Noise("api", 6.0, 3.0, 60.0),
    Noise("unaskable", 3.0, 5.0, 180.0),
    Noise("refused", 6.0),  # these three strike a single look
    Noise("model", 6.0),
    Noise("wrong", 6.0),
    # the way to the edge, the account, the host
    Noise("edge", 3.0, 2.0, 57.0),
    Noise("connector", 6.0, 3.0, 1200.0),
    Noise("stream", 1.0, 600.0, 4 * HOUR),  # of another name through the same tunnel
    Noise("GPU", 4.0, 5.0, 900.0),
    Noise("units", 2.0, 1.0, 90.0),
    Noise("agent", 0.5, 2.0, 20.0),
    Noise("frozen", 2.0, 3.0, 60.0),
    Noise("account", 6.0, 5.0, 120.0),
    Noise("429", 1.0, 20.0, 300.0),
    Noise("late", 1.5, MINUTE, 1200.0),
    Noise("lag", 2.0, MINUTE, 900.0),
)


@dataclass(frozen=True, slots=True, order=True)
class Episode:
    """`at` on the fleet's clock, `seconds` 0 for what strikes once; `host` is its number."""

    at: float
    host: int
    name: str
    seconds: float


def episodes(days: float, kinds: tuple[EngineKind, ...], seed: int) -> list[Episode]:
    """All noise of the trace in the order of time; the same for the same seed."""
    found: list[Episode] = []
    for number, kind in enumerate(kinds):
        for noise in NOISES:
            if kind in noise.engines:
                random = Random(f"{seed} {number} {noise.name}")
                found += _of(noise, number, days, random)
    return sorted(found)


def _of(noise: Noise, host: int, days: float, random: Random) -> Iterator[Episode]:
    at = random.uniform(0.0, DAY / noise.a_day)  # so that two days have some of each
    while at < days * DAY:
        yield Episode(at, host, noise.name, _length(noise, random))
        at += random.expovariate(noise.a_day / DAY)


def _length(noise: Noise, random: Random) -> float:
    """Many short ones, few long ones."""
    if not noise.longest:
        return 0.0
    return math.exp(random.uniform(math.log(noise.shortest), math.log(noise.longest)))


def rate(now: float) -> float:
    """Requests a second of all users together at this time of the trace, which begins at midnight."""
    hour = now % DAY / HOUR
    return 0.001 + 0.024 * max(0.0, math.sin((hour - 7.0) / 16.0 * math.pi)) ** 2
