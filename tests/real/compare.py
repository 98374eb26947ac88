"""Where a stand-in's recording differs from the real one's: `python -m tests.real.compare REAL STAND_IN`."""

import sys
from pathlib import Path
from typing import Any

from tests.real.recording import Answer, Recording, load
from tests.real.shapes import differences, headers_shape, metrics_shape, shape


def compare(real: Recording, own: Recording) -> list[str]:
    return [
        *answers(real.answers, own.answers),
        *texts(real.metrics, own.metrics),
        *exits(real.exits, own.exits),
        *logs(real.logs, own.logs),
    ]


def answers(real: dict[str, Answer], own: dict[str, Answer]) -> list[str]:
    told = missing("answer", real, own)
    for name in real.keys() & own.keys():
        wanted, found = real[name], own[name]
        if wanted.status != found.status:
            told.append(f"{name}: status {wanted.status}, the stand-in has {found.status}")
        here = differences(headers_shape(wanted.headers), headers_shape(found.headers))
        told += [f"{name}: header {line}" for line in here]
        told += [f"{name}: {line}" for line in differences(shape(wanted.body), shape(found.body))]
    return sorted(told)


def texts(real: dict[str, str], own: dict[str, str]) -> list[str]:
    told = missing("metrics", real, own)
    for name in real.keys() & own.keys():
        here = differences(metrics_shape(real[name]), metrics_shape(own[name]))
        told += [f"metrics {name}: {line}" for line in here]
    return told


def exits(real: dict[str, int], own: dict[str, int]) -> list[str]:
    return [
        f"exit code, {name}: {real.get(name)}, the stand-in has {own.get(name)}"
        for name in sorted(real.keys() | own.keys())
        if real.get(name) != own.get(name)
    ]


def logs(real: dict[str, list[dict[str, Any]]], own: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The same messages at the same levels with the same keys, in whatever order."""
    told = missing("log", real, own)
    for name in real.keys() & own.keys():
        wanted, found = lines(real[name]), lines(own[name])
        told += [f"log {name}: the stand-in does not say {line}" for line in sorted(wanted - found)]
        told += [f"log {name}: only the stand-in says {line}" for line in sorted(found - wanted)]
    return told


def lines(records: list[dict[str, Any]]) -> set[str]:
    return {f"{one['level']} {one['message']!r} with {', '.join(sorted(one))}" for one in records}


def missing(what: str, real: dict[str, Any], own: dict[str, Any]) -> list[str]:
    return [f"{what} {name}: in one of the two only" for name in sorted(real.keys() ^ own.keys())]


if __name__ == "__main__":
    found = compare(load(Path(sys.argv[1])), load(Path(sys.argv[2])))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.exit(1 if found else 0)
