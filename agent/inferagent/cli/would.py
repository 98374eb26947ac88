"""`events --would`: what mode act would have done while the agent observed, summed up from its episodes."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from inferagent.cli.event_text import local, moment_of, span
from inferagent.model.event import DRAIN, WATCH, Episode, Event, past

HOW = (
    "counted: drains and repairs; a restart of what still ran, only if its cause outlasted a drain's deadline"
)


def summary(events: Iterable[Event], running: float = 0.0, since: datetime | None = None) -> list[str]:
    """Lines for a person; none where nothing was watched. `running`: seconds since the last note of an agent
    that observes at this moment."""
    last = _last(events)
    if since is not None:
        last = [event for event in last if (moment_of(event.wall) or since) >= since]
    watched = sum(_within(event, since) for event in last if _of(event).deed == WATCH) + running
    if not any(_of(event).deed == WATCH for event in last):
        return []
    done: dict[tuple[str, str], list[Event]] = {}
    for event in last:
        if _of(event).deed != WATCH:
            done.setdefault((_of(event).deed, event.cause), []).append(event)
    if not done:
        return [f"would have done nothing in {span(watched)} of watching"]
    ordered = sorted(done.items(), key=lambda item: (item[0][0] != DRAIN, item[0][0], -len(item[1])))
    return [*(_line(deed, found, watched) for (deed, _), found in ordered), HOW]


def _line(deed: str, found: list[Event], watched: float) -> str:
    newest = found[-1]
    stood = span(sum(_of(event).seconds for event in found))
    code = f" ({newest.cause})" if newest.cause else ""
    why = f", {newest.why.partition(':')[0]}{code}" if newest.why else code
    return (
        f"would have {past(deed)} {len(found)}× in {span(watched)}: {stood}{why}, last {local(newest.wall)}"
    )


def _last(events: Iterable[Event]) -> list[Event]:
    """The last note of each episode; one that its agent left open ends there."""
    found: dict[tuple[str, str, float], Event] = {}
    for event in events:
        if event.episode is not None:
            key = event.boot, event.episode.deed, event.episode.began
            found[key] = event
    return list(found.values())


def _of(event: Event) -> Episode:
    return event.episode or Episode("", 0.0)


def _within(event: Event, since: datetime | None) -> float:
    """Seconds of the episode that lie after `since`."""
    end, seconds = moment_of(event.wall), _of(event).seconds
    if since is None or end is None:
        return seconds
    return min(seconds, max(0.0, (end - since) / timedelta(seconds=1)))


def observing(events: Iterable[Event], boot: str, now: datetime) -> float:
    """Seconds since the last note of watching in this boot, 0 where none is open."""
    notes = [event for event in events if event.boot == boot and _of(event).deed == WATCH]
    moment = moment_of(notes[-1].wall) if notes and _of(notes[-1]).open else None
    return max(0.0, (now - moment) / timedelta(seconds=1)) if moment else 0.0
