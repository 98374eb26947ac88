"""One event as a line for a person: local time, phase and label, what happened, and what it was judged by."""

from collections.abc import Iterator
from datetime import datetime

from inferagent.model.event import WATCH, Event, EventKind, Evidence

JUDGED = (EventKind.PHASE, EventKind.BEGINS, EventKind.ACTION, EventKind.WOULD)
WIDTH = 15  # of phase and label


def line_of(event: Event, before: Event | None = None) -> str:
    """Without the numbers where the line `before` has said them."""
    state = f"{event.phase}/{event.label}" if event.label else event.phase
    text = event.text
    if event.why and event.kind in JUDGED and event.why not in text:
        text += f", because {event.why}"
    told = before is not None and before.kind in JUDGED and before.evidence == event.evidence
    numbers = "; ".join(said(event.evidence)) if event.kind in JUDGED and not told else ""
    parts = [text, f"({event.cause})" if event.cause else "", f"[{numbers}]" if numbers else ""]
    if event.unsaid:
        parts.append(f"and {event.unsaid} like it before")
    return f"{local(event.wall)}  {state:<{WIDTH}}  {'  '.join(part for part in parts if part)}"


def shown(event: Event) -> bool:
    """What is noted now and then of an open episode is for `--would` only."""
    episode = event.episode
    return episode is None or not (episode.deed == WATCH or (episode.open and episode.seconds > 0))


def local(wall: str) -> str:
    """In the reader's zone; as it was written where it is no time."""
    moment = moment_of(wall)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else wall


def moment_of(wall: str) -> datetime | None:
    try:
        return datetime.fromisoformat(wall).astimezone()
    except (ValueError, OverflowError):
        return None


def said(evidence: Evidence) -> Iterator[str]:
    """The numbers in words; what is unknown is not said."""
    if evidence.exit:
        yield evidence.exit
    if evidence.accepts is not None and not evidence.exit:
        yield "port accepts" if evidence.accepts else "port refuses"
    if evidence.still:
        yield f"still for {evidence.still:.0f} s"
    if evidence.generation:
        begun = "" if evidence.generation_age is None else f", begun {evidence.generation_age:.0f} s before"
        yield f"generation {evidence.generation}{begun}"
    if evidence.in_flight is not None:
        yield f"{evidence.in_flight} in flight"
    if evidence.edge is not None:
        yield f"{evidence.edge} edge connections"
    if evidence.peers is not None and evidence.peers_effective is not None:
        age = "" if evidence.pool_age is None else f", read {evidence.pool_age:.0f} s before"
        yield f"{evidence.peers_effective} of {evidence.peers} others effective{age}"


def span(seconds: float) -> str:
    """The two largest units: "3 d 4 h", "12 min", "40 s"."""
    left, parts = round(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        parts.append((count, unit))
    first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
    two = parts[first : first + 2]
    return " ".join(f"{count} {unit}" for count, unit in two if count or unit == two[0][1])
