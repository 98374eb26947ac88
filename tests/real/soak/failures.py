"""Failed requests: which a fault may cost, and which break the soak."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.real.soak.fault import Chapter

from inferagent.lab.traffic_judge import Outcome

SLACK = 1.0  # seconds from the edge's letting go until this was seen, and the request was on its way


def split(
    outcomes: Iterable[Outcome], chapters: Sequence[Chapter], cache: float
) -> tuple[dict[str, Counter[str]], list[str]]:
    """Forgiven failures by fault and cause, and a line for each that is not forgiven."""
    forgiven: dict[str, Counter[str]] = {}
    broken: list[str] = []
    for outcome in outcomes:
        if outcome.ok:
            continue
        chapter = next((one for one in chapters if may_lose(one, outcome, cache)), None)
        if chapter is not None:
            forgiven.setdefault(chapter.fault.name, Counter())[outcome.cause] += 1
        else:
            broken.append(_line(outcome, chapters))
    return forgiven, broken


def may_lose(chapter: Chapter, outcome: Outcome, cache: float) -> bool:
    """There at the blow, or begun before the edge had let the host go.

    Where it never did, before the fault had settled; a fault of everybody has no other host to send to.
    """
    if not chapter.fault.loses or chapter.struck is None or outcome.end < chapter.struck:
        return False
    if chapter.fault.everybody:
        return outcome.start <= (chapter.ended or float("inf"))
    last = chapter.struck + chapter.fault.settles if chapter.out is None else chapter.out + cache + SLACK
    return outcome.start <= last


def _line(outcome: Outcome, chapters: Sequence[Chapter]) -> str:
    """With the fault that it came closest after."""
    before = [one for one in chapters if (one.struck or one.begun) <= outcome.end]
    if not before:
        return f"{outcome.kind} failed before any fault: {outcome.cause}"
    last = before[-1]
    since = outcome.start - (last.struck or last.begun)
    out = "" if last.out is None else f", {outcome.start - last.out:.1f} s after the edge had let it go"
    who = outcome.host or "?"
    return (
        f"{outcome.kind} at {who}: {outcome.cause}, begun {since:.1f} s after the blow of "
        f"{last.fault.name}{out}, took {outcome.end - outcome.start:.1f} s"
    )
