"""What the vLLM stand-in counts, fed by the EngineCore's messages and by nothing else."""

import time
from dataclasses import dataclass, field
from typing import Any

SECONDS = (
    0.001,
    0.005,
    0.01,
    0.02,
    0.04,
    0.06,
    0.08,
    0.1,
    0.25,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
    7.5,
    10.0,
    20.0,
    40.0,
    80.0,
    160.0,
    640.0,
    2560.0,
)
WHOLE: tuple[float, ...] = (
    0.3,
    0.5,
    0.8,
    1.0,
    1.5,
    2.0,
    2.5,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    40.0,
    50.0,
    60.0,
    120.0,
    240.0,
)
WHOLE = (*WHOLE, 480.0, 960.0, 1920.0, 7680.0)
TOKENS = (1.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0)


class Histogram:
    """Counts of values up to each bound, with their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * len(bounds)
        self.count, self.sum = 0, 0.0

    def observe(self, value: float) -> None:
        self.count += 1
        self.sum += value
        for place, bound in enumerate(self.bounds):
            self.counts[place] += value <= bound


def success() -> dict[str, int]:
    return dict.fromkeys(("stop", "length", "abort", "error", "repetition"), 0)


@dataclass
class Counters:
    """The numbers behind /metrics of one engine."""

    running: int = 0
    waiting: int = 0
    blocks: int = 0  # of the cache, in use
    generation_tokens: int = 0
    prompt_tokens: int = 0
    success: dict[str, int] = field(default_factory=success)
    first_token: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    whole: Histogram = field(default_factory=lambda: Histogram(WHOLE))
    iteration: Histogram = field(default_factory=lambda: Histogram(TOKENS))

    def take(self, message: dict[str, Any], started: dict[str, float]) -> None:
        """One message; `started` says when each open request began (seconds, monotonic)."""
        now = time.monotonic()
        self.running, self.waiting = message["running"], message["waiting"]
        self.blocks = message.get("blocks", 0)
        tokens, prefilled = message.get("tokens", {}), message.get("prefilled", {})
        self.generation_tokens += sum(tokens.values())
        self.prompt_tokens += sum(prefilled.values())
        if tokens:
            self.iteration.observe(sum(tokens.values()) + sum(prefilled.values()))
        for name in prefilled:
            self.first_token.observe(now - started.get(name, now))
        for name in message.get("done", ()):
            self.success["length"] += 1
            self.whole.observe(now - started.get(name, now))
        if "aborted" in message:
            self.success["abort"] += 1
