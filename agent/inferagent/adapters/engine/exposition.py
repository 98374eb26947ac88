"""A tolerant reader of the Prometheus text format: what it cannot read is left out, and nothing raises.

Names move between an engine's releases, so totals are asked for by a list of names; the prefix before
the colon and a trailing `_total` do not count.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

MAX_BYTES = 2 << 20
MAX_LINES = 20_000
MAX_LINE = 8 << 10
# Of an idle program's lines all but a few are those of the last answer: so many are known again.
LINES_KNOWN, USUAL_LINE = 2048, 512

_PAIR = r'[ \t]*[a-zA-Z_:][\w:]*[ \t]*=[ \t]*"[^"\\]*(?:\\.[^"\\]*)*"'
_NUMBER = r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:nan|inf|infinity))"
_LINE = re.compile(
    r"[ \t]*([a-zA-Z_:][\w:]*)"
    rf"(?:[ \t]*\{{((?:{_PAIR}(?:[ \t]*,{_PAIR})*(?:[ \t]*,)?)?)[ \t]*\}}[ \t]*|[ \t]+)"
    rf"({_NUMBER})(?:[ \t]+-?\d+)?[ \t\r]*",
    re.ASCII,
)
_NAME = re.compile(r'[ \t]*([^ \t{"]*)')
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
    """`whole` is False when the text was cut, at the bound or within its last line, or has a broken line.

    `doubtful`: the canonical names of which a line is broken, not finite, or may be missing behind the cut.
    """

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    prefixes: frozenset[str] = frozenset()
    whole: bool = True
    doubtful: frozenset[str] = frozenset()

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
        try:
            return math.fsum(sample.value for sample in found) if found else None
        except OverflowError:
            return None

    def count(self, *names: str) -> int | None:
        """How many there are of a thing, over all labels; None where any of its lines cannot be trusted: what
        a broken line would add is unknown, and a sum without it too small."""
        name = next((name for name in names if name in self.samples or name in self.doubtful), "")
        found = self.samples.get(name, [])
        series = {(sample.name, sample.raw_labels) for sample in found}
        if name in self.doubtful or not found or len(series) < len(found):
            return None
        if any(sample.value < 0 or not sample.value.is_integer() for sample in found):
            return None
        return sum(int(sample.value) for sample in found)

    def label(self, name: str, key: str) -> str:
        """The label `key` of the first sample of that name, "" if there is none."""
        for sample in self.find((name,)):
            return sample.labels.get(key, "")
        return ""


# What a line says: its canonical name, and its sample unless the number is not finite.
Said: TypeAlias = tuple[str, Sample | None]
BUCKET: Said = ("", None)


def canonical(name: str) -> str:
    """`vllm:prompt_tokens_total` and `prompt_tokens` are the same counter."""
    return name.rpartition(":")[2].removesuffix("_total")


def parse(body: bytes) -> Exposition:
    """Reads at most MAX_BYTES and MAX_LINES. Histogram buckets are left out: many, and unasked for."""
    lines = body[:MAX_BYTES].decode("utf-8", "replace").split("\n", MAX_LINES)
    torn = lines.pop()  # a last line without its end may lack digits
    cut = torn != "" or len(body) > MAX_BYTES
    samples: dict[str, list[Sample]] = {}
    prefixes: set[str] = set()
    doubtful = {_named(torn)} if cut else set()
    broken, last = False, ""
    for line in lines:
        if line.startswith("#"):
            last = ""
            continue
        read = _known_line if len(line) <= USUAL_LINE else _read_line
        said = read(line)
        if said is None:
            broken, last = _broken(line, doubtful) or broken, _named(line) or last
            continue
        last, sample = said
        if sample is not None:
            prefixes.add(sample.name.partition(":")[0])
            samples.setdefault(last, []).append(sample)
        elif said is not BUCKET:
            doubtful.add(last)
    if cut:
        doubtful.add(last)  # the rest of this family may have stood behind the cut
    return Exposition(samples, frozenset(prefixes), not (cut or broken), frozenset(doubtful))


def _read_line(line: str) -> Said | None:
    """None where the line is no sample at all."""
    match = _LINE.fullmatch(line) if len(line) <= MAX_LINE else None
    if match is None:
        return None
    name, labels, number = match.groups()
    if name.endswith("_bucket"):
        return BUCKET
    value = float(number)
    return canonical(name), Sample(name, labels or "", value) if math.isfinite(value) else None


_known_line = lru_cache(LINES_KNOWN)(_read_line)


def _named(line: str) -> str:
    """The name that a line begins with, whatever follows; "" for an empty line and for a comment."""
    match = _NAME.match(line)
    found = canonical(match[1].rstrip("\r")) if match else ""
    return "" if found.startswith("#") else found


def _broken(line: str, doubtful: set[str]) -> bool:
    """Whether a line that is no sample should be one; its name is then in doubt."""
    if not line.strip() or line.lstrip().startswith("#"):
        return False
    doubtful.add(_named(line))
    return True
