"""The judgement of one row: what was seen, held against what the table says."""

import contextlib
import time
from collections import Counter

from tests.matrix.faults.common import events
from tests.matrix.row import Row
from tests.matrix.stage import CACHE, Stage
from tests.matrix.watch import Moment

SLACK = 0.5  # seconds between what the edge does and when the watch has seen it


async def problems(stage: Stage) -> list[str]:
    """Everything that is not as the row says; an empty list is a green row."""
    row, moments = stage.row, stage.watch.since(stage.struck)
    found = wrong_causes(row, moments) + untold(row, moments, written(stage))
    found += lost(stage) + lives(row, moments, stage)
    found += left(row, moments, stage.struck)
    found += stage.watch.orphans
    if row.membership == "own-pool" and row.must_not_drain and (count := await stage.disables()):
        found.append(f"the pool was disabled {count}× although the host must stay")
    return found


def wrong_causes(row: Row, moments: list[Moment]) -> list[str]:
    """Every root cause that the row knows nothing of."""
    right = {"", *row.root, *row.also}
    seen = Counter(moment.root for moment in moments if moment.root not in right)
    sentences = {moment.root: moment.sentence for moment in moments}
    return [f"status names {code} as root cause: {sentences[code]}" for code in seen]


def written(stage: Stage) -> set[str]:
    """The root causes that the host's events tell since the strike: one that is mended at once stands in the
    status for less than the watch's pace."""
    ahead = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
    with contextlib.suppress(OSError, ValueError):  # a fault may have taken the file
        told = events(stage.host)
        return {str(one["cause"]) for one in told if "cause" in one and one["at"] - ahead >= stage.struck}
    return set()


def untold(row: Row, moments: list[Moment], told: set[str]) -> list[str]:
    """The root cause, where one must be named: in the status, or in the events."""
    said = told | {moment.root for moment in moments} | {c for moment in moments for c in moment.findings}
    if row.root and not said & set(row.root):
        return [
            f"status never named {' or '.join(row.root)}; it named {', '.join(sorted(said - {''})) or 'none'}"
        ]
    return []


def left(row: Row, moments: list[Moment], struck: float) -> list[str]:
    """A host that must stay was not routed to: seen beside the deeds of the fault, too."""
    away = [moment for moment in moments if not moment.routed] if row.must_not_drain else []
    return [f"it left after {away[0].at - struck:.1f} s: {away[0].sentence}"] if away else []


def lost(stage: Stage) -> list[str]:
    """Requests that failed and may not have."""
    failed = [one for one in stage.outcomes() if one.cause]
    if stage.row.loses == "in-flight":
        until = stage.struck + stage.row.bound if stage.out is None else stage.out + CACHE + SLACK
        failed = [one for one in failed if one.start > until]
    if stage.row.loses == "outage" and stage.back is not None:
        failed = [one for one in failed if one.start > stage.back + CACHE + SLACK]
    causes = Counter(one.cause for one in failed)
    return [f"{count} requests failed that may not: {cause}" for cause, count in causes.items()]


def lives(row: Row, moments: list[Moment], stage: Stage) -> list[str]:
    """Which parts had to begin a new life, and which may not."""
    if row.repair == "any":
        return []
    found = []
    for part in ("engine", "connector"):
        pids = {dict(moment.mains)[part] for moment in moments} - {0}
        if part == row.repair and stage.back is not None and len(pids) < 2:
            found.append(f"the {part} was not restarted")
        if part != row.repair and len(pids) > 1:
            found.append(f"the {part} was restarted")
    return found
