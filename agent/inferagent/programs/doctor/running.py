"""All checks side by side, with one deadline for all; then consequences are hidden behind their causes."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from inferagent.programs.doctor.sight import Direction, Sight
from inferagent.programs.doctor.verdict import (
    CannotTellError,
    Check,
    Hop,
    NotHereError,
    Outcome,
    Verdict,
    skipped,
    unknown,
)

BROKEN = (Verdict.FAIL, Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Result:
    """`hidden_by` names the check that has to be mended first, "" for none."""

    check: Check
    outcome: Outcome
    seconds: float = 0.0
    hidden_by: str = ""

    @property
    def hop(self) -> Hop:
        return self.outcome.hop or self.check.hop

    @property
    def verdict(self) -> Verdict:
        return self.outcome.verdict


async def examine(
    checks: Sequence[Check], direction: Direction, given: Mapping[str, object] | None = None
) -> tuple[Result, ...]:
    """The results in the order of the checks, of which each stands behind those that it needs."""
    found: dict[str, Result] = {}
    # Who has no result by then gets that as its outcome.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(direction.deadline), asyncio.TaskGroup() as group:
            sight = Sight(direction, group, given)
            group.create_task(_all(checks, sight, found))
    late = unknown(f"no end within {direction.deadline:g} s", "give more time: --deadline 60s")
    return hide([found.get(check.name, Result(check, late, direction.deadline)) for check in checks])


async def _all(checks: Sequence[Check], sight: Sight, found: dict[str, Result]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for check in checks:
                group.create_task(_note(check, sight, found))
    finally:
        await sight.close()


async def _note(check: Check, sight: Sight, found: dict[str, Result]) -> None:
    begun = time.monotonic()
    try:
        outcome = await check.judge(sight)
    except CannotTellError as error:
        outcome = unknown(str(error), error.cure)
    except NotHereError as error:
        outcome = skipped(str(error))
    found[check.name] = Result(check, outcome, time.monotonic() - begun)


def hide(results: Iterable[Result]) -> tuple[Result, ...]:
    """Whoever needs what is broken is skipped, whatever came of it by itself."""
    shown: dict[str, Result] = {}
    for result in results:
        cause = next((found for name in result.check.needs if (found := _broken(shown, name))), "")
        if cause:
            result = Result(result.check, skipped(f"needs {cause}"), result.seconds, cause)
        shown[result.check.name] = result
    return tuple(shown.values())


def _broken(shown: Mapping[str, Result], name: str) -> str:
    """The check to be mended before this one can be told, "" for none."""
    result = shown.get(name)
    if result is None:
        return ""
    return name if result.verdict in BROKEN else result.hidden_by


def groups_of(check: Check) -> tuple[str, str]:
    """The names that choose it along with others: its own first word, and the hop that the report shows."""
    return check.name.partition(".")[0], str(check.hop).lower().replace(" ", "-")


def chosen(checks: Sequence[Check], names: Sequence[str], *, needs: bool = True) -> tuple[Check, ...]:
    """The checks of these names, or of these groups, and with `needs` whatever those need.

    ValueError names what is neither.
    """
    wanted: set[str] = set()
    for name in names:
        word = name.lower().replace(" ", "-")
        fitting = {check.name for check in checks if word in (check.name, *groups_of(check))}
        if not fitting:
            raise ValueError(name)
        wanted |= fitting
    for check in reversed(checks) if needs else ():
        if check.name in wanted:
            wanted |= set(check.needs)
    return tuple(check for check in checks if check.name in wanted)
