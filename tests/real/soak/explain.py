"""Every change of a membership in the account's journal, held against the events of its host.

A change is explained by the last word of that host before it: the action that says which way and why. The
root cause must be one that the fault of that moment can have. Times are seconds of time.monotonic.
"""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.real.soak.fault import Chapter

SLACK = 0.2  # seconds: an event is of its tick, rounded to tenths, and the write follows it
LATE = 1.0  # seconds that a write may take: by then the host may have said the next one
WORDS = {True: "enable in the pool", False: "disable in the pool"}
POOL = re.compile(r"/load_balancers/pools/([^/]+)$")


@dataclass(frozen=True, slots=True)
class Change:
    """One accepted write that changed `enabled`."""

    at: float
    enabled: bool


@dataclass(frozen=True, slots=True)
class Word:
    """One event that says that the host writes its membership; `cause` is its root cause's code."""

    at: float
    enabled: bool
    cause: str
    text: str


@dataclass(frozen=True, slots=True)
class Explained:
    host: str
    at: float
    enabled: bool
    fault: str
    cause: str
    problem: str = ""


def changes_of(journal: Iterable[dict[str, Any]], pool: str, ahead: float) -> list[Change]:
    """Of one pool, repetitions left out. `ahead`: the wall clock less time.monotonic."""
    found: list[Change] = []
    for write in journal:
        match = POOL.search(write["path"])
        enabled = (write["body"] or {}).get("enabled") if match and match[1] == pool else None
        if write["method"] == "PATCH" and enabled is not None and _is_new(found, enabled):
            found.append(Change(write["time"] - ahead, enabled))
    return found


def _is_new(found: Sequence[Change], enabled: bool) -> bool:
    """Setup makes a pool that is disabled."""
    return enabled is not (found[-1].enabled if found else False)


def words_of(events: Iterable[dict[str, Any]], ahead: float) -> list[Word]:
    """`ahead`: the boot clock less time.monotonic."""
    found, left = list[Word](), ""
    for event in events:
        if event["kind"] == "phase" and event.get("phase") == "draining":
            left = str(event.get("cause", ""))
        elif event["kind"] == "action":
            found += _word(event, ahead, left)
    return found


def _word(event: dict[str, Any], ahead: float, left: str) -> list[Word]:
    """A host whose last endpoint it was disables its pool when others are there again, its cause being over
    perhaps: `left` is what it left for."""
    at, text = float(event["at"]) - ahead, str(event["text"])
    cause = str(event.get("cause", ""))
    return [
        Word(at, enabled, cause if enabled else cause or left, text)
        for enabled, begin in WORDS.items()
        if text.startswith(begin)
    ]


def explain(
    host: str, changes: Sequence[Change], words: Sequence[Word], chapters: Sequence[Chapter]
) -> list[Explained]:
    """Each change with its fault and cause, and what is wrong about it."""
    return [_one(host, change, words, chapters) for change in changes]


def _one(host: str, change: Change, words: Sequence[Word], chapters: Sequence[Chapter]) -> Explained:
    chapter = next((one for one in chapters if one.holds(change.at)), None)
    before = [word for word in words if word.at <= change.at + SLACK]
    fresh = (word for word in reversed(before) if word.at >= change.at - LATE)
    said = next((word for word in fresh if word.enabled is change.enabled), before[-1] if before else None)
    fault = chapter.fault.name if chapter else ""
    cause = said.cause if said else ""
    return Explained(host, change.at, change.enabled, fault, cause, _problem(change, chapter, said))


def _problem(change: Change, chapter: Chapter | None, said: Word | None) -> str:
    way = "enabled" if change.enabled else "disabled"
    if said is None or said.enabled is not change.enabled:
        return f"{way} without an event that says so"
    if chapter is None:
        return f"{way} while nothing was wrong: {said.text}"
    if change.enabled:
        return ""
    if chapter.fault.leaves == "never":
        return f"disabled although it must not leave: {said.text}"
    if said.cause not in chapter.fault.causes:
        known = ", ".join(sorted(chapter.fault.causes)) or "none"
        return f"disabled with the root cause {said.cause or 'none'}, which should be {known}: {said.text}"
    return ""


def clocks() -> tuple[float, float]:
    """The wall clock and the boot clock, each less time.monotonic."""
    now = time.monotonic()
    return time.time() - now, time.clock_gettime(time.CLOCK_BOOTTIME) - now
