"""Fall counts for status probes, and the time since when each finding has stood."""

from dataclasses import replace

from inferagent.model.change import changed
from inferagent.model.health import Cause, Finding
from inferagent.model.saved import Memory
from inferagent.model.unit import Unit


def fall(memory: Memory, code: str, bad: bool | None, at: float, needed: int) -> tuple[Memory, bool]:
    """Count one reading taken at `at`; True once `needed` bad ones came in a row; None (unknown) is no count.

    The same reading, seen again by a later tick, is not counted twice.
    """
    counts = {name: (count, mark) for name, count, mark in memory.falls}
    count, mark = counts.get(code, (0, float("-inf")))
    if bad is not None and at > mark:
        counts[code] = (min(count + 1, needed) if bad else 0, at)
        count = counts[code][0]
        memory = replace(memory, falls=tuple((name, c, m) for name, (c, m) in counts.items()))
    return memory, count >= needed


def absent(part: str, unit: Unit) -> tuple[str, str]:
    """What to say of a unit that cannot be started at all, and the cure; `exit` names a missing program."""
    if unit.exit:
        return (
            f"the {part} cannot be started: {unit.exit}",
            f"install it, or give its path: command in [{part}]",
        )
    return f"the {part}'s unit does not exist", "sudo inferagent setup"


def dated(
    memory: Memory, now: float, causes: list[Cause], findings: list[Finding]
) -> tuple[Memory, tuple[Cause, ...], tuple[Finding, ...]]:
    """Date each cause and finding by when its code began to stand without a break; worst causes first."""
    old = dict(memory.sinces)
    codes = [*(cause.code for cause in causes), *(finding.code for finding in findings)]
    sinces = {code: old.get(code, now) for code in codes}
    ordered = sorted(causes, key=lambda cause: (-cause.kind, sinces[cause.code]))
    return (
        changed(memory, sinces=tuple(sinces.items())),
        tuple(replace(cause, since=sinces[cause.code]) for cause in ordered),
        tuple(replace(finding, since=sinces[finding.code]) for finding in findings),
    )
