"""Whether a program has grown: the last third of its last life against the first, by medians.

The first minute of a life is left out: what is imported late, and pools that fill, are no growth.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.real.soak.measure import Sample

SETTLED = 60.0  # seconds
LEAST = 9  # samples, or nothing can be said
SHARE = 0.05  # of memory that may come on top, and so many MiB
MIB = 1.0
# Counts that may come on top. The agent's threads are a pool of at most 32 that grows to its use.
COUNTS = {"descriptors": 2.0, "threads": 4.0, "tasks": 2.0, "children": 1.0}
MEMORY = ("private", "rss")
BESIDE = ("pss",)  # told, not judged: it moves with what other programs share


@dataclass(frozen=True, slots=True)
class Growth:
    """One measure of one program; `most` is the largest sample, `allowed` what `last` may come to."""

    program: str
    measure: str
    n: int
    first: float
    last: float
    most: float
    allowed: float
    judged: bool = True

    @property
    def grown(self) -> bool:
        return self.judged and self.last > self.allowed

    def line(self) -> str:
        return (
            f"{self.program}: {self.measure} {self.first:.1f} → {self.last:.1f}, most {self.most:.1f} "
            f"(at most {self.allowed:.1f} allowed, n {self.n})"
        )


def growths(samples: Sequence[Sample]) -> list[Growth]:
    """Of every program in its last life, where that was long enough."""
    found = []
    for program in dict.fromkeys(sample.program for sample in samples):
        life = last_life([sample for sample in samples if sample.program == program])
        for measure in (*MEMORY, *COUNTS, *BESIDE):
            numbers = [sample.numbers[measure] for sample in life if measure in sample.numbers]
            if len(numbers) >= LEAST:
                found.append(_growth(program, measure, numbers))
    return found


def by_minute(samples: Sequence[Sample], program: str, measure: str) -> list[float]:
    """The median of each minute of its last life, the first included: a slope shows, a plateau too."""
    life = last_life(
        [one for one in samples if one.program == program and measure in one.numbers], settled=0.0
    )
    minutes: dict[int, list[float]] = {}
    for sample in life:
        minutes.setdefault(int((sample.at - life[0].at) // 60), []).append(sample.numbers[measure])
    return [round(statistics.median(numbers), 1) for numbers in minutes.values()]


def last_life(samples: Sequence[Sample], settled: float = SETTLED) -> list[Sample]:
    """The samples of the last pid, without its beginning."""
    if not samples:
        return []
    mine = []
    for sample in reversed(samples):
        if sample.pid != samples[-1].pid:
            break
        mine.append(sample)
    return [sample for sample in reversed(mine) if sample.at >= mine[-1].at + settled]


def _growth(program: str, measure: str, numbers: Sequence[float]) -> Growth:
    third = len(numbers) // 3
    first, last = statistics.median(numbers[:third]), statistics.median(numbers[-third:])
    allowed = first + COUNTS[measure] if measure in COUNTS else first * (1 + SHARE) + MIB
    judged = measure not in BESIDE
    return Growth(program, measure, len(numbers), first, last, max(numbers), allowed, judged)
