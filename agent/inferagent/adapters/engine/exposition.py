"""A tolerant reader of the Prometheus text format: what it cannot read is left out, and nothing raises.

Names move between an engine's releases, so totals are asked for by a list of names; the prefix before
the colon and a trailing `_total` do not count.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_BYTES = 2 << 20
MAX_LINES = 20_000
MAX_LINE = 8 << 10

_LINE = re.compile(r'([^\s{"]+)(?:\{((?:[^"}]|"(?:\\.|[^"\\])*")*)\})?\s+(\S+)')
_LABEL = re.compile(r'([^\s,={}"]+)\s*=\s*"((?:\\.|[^"\\])*)"')


@dataclass(frozen=True, slots=True)
class Sample:
    """One line; the labels are kept as they stand and read when somebody asks."""

    name: str
    raw_labels: str
    value: float

    @property
    def labels(self) -> dict[str, str]:
        return dict(_LABEL.findall(self.raw_labels))


@dataclass(frozen=True, slots=True)
class Exposition:
    """`whole` is False when the text was cut: at the bound, or within its last line."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    prefixes: frozenset[str] = frozenset()
    whole: bool = True

    def find(self, names: Iterable[str]) -> list[Sample]:
        """The samples of the first of these names that is there at all."""
        for name in names:
            found = self.samples.get(name)
            if found:
                return found
        return []

    def total(self, *names: str, without: frozenset[tuple[str, str]] = frozenset()) -> float | None:
        """The sum over all labels, less the samples with a label of `without`; None if there is none."""
        found = self.find(names)
        if without:
            found = [sample for sample in found if without.isdisjoint(sample.labels.items())]
        return math.fsum(sample.value for sample in found) if found else None

    def label(self, name: str, key: str) -> str:
        """The label `key` of the first sample of that name, "" if there is none."""
        for sample in self.find((name,)):
            return sample.labels.get(key, "")
        return ""


def canonical(name: str) -> str:
    """`vllm:prompt_tokens_total` and `prompt_tokens` are the same counter."""
    return name.rpartition(":")[2].removesuffix("_total")


def parse(body: bytes) -> Exposition:
    """Reads at most MAX_BYTES and MAX_LINES. Histogram buckets are left out: many, and unasked for."""
    lines = body[:MAX_BYTES].decode("utf-8", "replace").split("\n", MAX_LINES)
    # A last line without its end may lack digits.
    whole = lines.pop() == "" and len(body) <= MAX_BYTES
    samples: dict[str, list[Sample]] = {}
    prefixes: set[str] = set()
    for line in lines:
        if line.startswith("#") or "_bucket{" in line or len(line) > MAX_LINE:
            continue
        sample = _sample(line)
        if sample is not None:
            prefixes.add(sample.name.partition(":")[0])
            samples.setdefault(canonical(sample.name), []).append(sample)
    return Exposition(samples, frozenset(prefixes), whole or not body)


def _sample(line: str) -> Sample | None:
    match = _LINE.match(line)
    if match is None:
        return None
    name, labels, number = match.groups()
    try:
        value = float(number)
    except ValueError:
        return None
    return Sample(name, labels or "", value) if math.isfinite(value) else None
