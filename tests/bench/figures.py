"""Figures: what a measurement came to, as one JSON line, and the bars that it has to reach."""

import json
import math
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is the median of `n` samples, or the sum where the figure is a count; `beside` holds peers and
    baselines by name."""

    name: str
    unit: str
    value: float
    n: int
    p90: float
    most: float
    conditions: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        return json.dumps(
            {
                "figure": self.name,
                "value": tidy(self.value),
                "unit": self.unit,
                "n": self.n,
                "p90": tidy(self.p90),
                "max": tidy(self.most),
                "conditions": dict(self.conditions),
                "beside": dict(self.beside),
            },
            ensure_ascii=False,
            allow_nan=False,
        )


def spread(
    name: str,
    samples: Sequence[float],
    conditions: Mapping[str, Any],
    beside: Mapping[str, Any] | None = None,
    unit: str = "s",
) -> Figure:
    """The median of the samples, with their p90 and maximum. Raises ValueError when there are none."""
    if not samples:
        raise ValueError(f"cannot make {name} of no samples")
    return Figure(
        name,
        unit,
        statistics.median(samples),
        len(samples),
        quantile(samples, 0.9),
        max(samples),
        conditions,
        beside or {},
    )


def count(
    name: str,
    total: int,
    by_round: Sequence[int],
    conditions: Mapping[str, Any],
    beside: Mapping[str, Any] | None = None,
) -> Figure:
    """A number of requests over all rounds, with p90 and maximum of what fell into one round."""
    each = by_round or [0]
    return Figure(
        name, "requests", total, len(by_round), quantile(each, 0.9), max(each), conditions, beside or {}
    )


def quantile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least this share of them does not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def tidy(value: float) -> float:
    """Milliseconds are as exact as these clocks are; whole numbers stay whole."""
    return value if isinstance(value, int) else round(value, 3)


def load_average() -> list[float]:
    """The load average of the machine over 1, 5 and 15 minutes."""
    return [round(value, 1) for value in os.getloadavg()]


def machine() -> dict[str, Any]:
    return {"cpus": os.cpu_count() or 0, "load_before": load_average()}


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure has to reach, in words and as a condition."""

    figure: str
    text: str
    holds: Callable[[Figure], bool]


def verdicts(bars: Sequence[Bar], figures: Sequence[Figure]) -> list[tuple[bool, str]]:
    """Each bar of a figure that was taken: whether it is met, and the line that says so."""
    taken = {figure.name: figure for figure in figures}
    judged = [(bar, taken[bar.figure]) for bar in bars if bar.figure in taken]
    return [(bar.holds(figure), _said(bar, figure)) for bar, figure in judged]


def _said(bar: Bar, figure: Figure) -> str:
    word = "met   " if bar.holds(figure) else "MISSED"
    numbers = f"{tidy(figure.value)} {figure.unit}, p90 {tidy(figure.p90)}, max {tidy(figure.most)}"
    return f"{word} {bar.figure}: {bar.text} (n {figure.n}: {numbers})"
