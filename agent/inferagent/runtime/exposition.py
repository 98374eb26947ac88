"""The text format in which Prometheus reads metrics: families of samples, each with its help and its type."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PREFIX = "inferagent_"


@dataclass(frozen=True, slots=True)
class Family:
    """`name` without the prefix; `kind` is "gauge" or "counter". A family without samples is left out."""

    name: str
    kind: str
    about: str
    samples: tuple[tuple[Mapping[str, str], float], ...]


def gauge(name: str, about: str, value: float | None, /, **labels: str) -> Family:
    """One sample; none where the value is unknown."""
    if value is None or not math.isfinite(value):
        return Family(name, "gauge", about, ())
    return Family(name, "gauge", about, ((labels, value),))


def state_set(name: str, about: str, states: Iterable[str], present: str) -> Family:
    """One sample a state, 1 for the present one; the label is called like the family."""
    return Family(name, "gauge", about, tuple(({name: state}, float(state == present)) for state in states))


def counter(name: str, about: str, label: str, counts: Mapping[str, int]) -> Family:
    """One sample a value of the label; `label` "" for a single count."""
    samples = tuple(({label: key} if label else {}, float(count)) for key, count in counts.items())
    return Family(name, "counter", about, samples)


def exposition(families: Iterable[Family]) -> str:
    return "".join(_lines(family) for family in families if family.samples)


def _lines(family: Family) -> str:
    name = PREFIX + family.name
    head = f"# HELP {name} {_escaped(family.about)}\n# TYPE {name} {family.kind}\n"
    return head + "".join(f"{name}{_labels(labels)} {_number(value)}\n" for labels, value in family.samples)


def _labels(labels: Mapping[str, str]) -> str:
    pairs = [f'{name}="{_quoted(value)}"' for name, value in labels.items()]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
