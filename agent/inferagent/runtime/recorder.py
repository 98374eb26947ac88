"""Gives the event file what changed at each tick: dated, with its root cause and what it was judged by."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from inferagent import __version__
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired, Mode
from inferagent.model.event import WATCH, Episode, Event, EventKind, Evidence, past
from inferagent.model.health import Cause
from inferagent.model.observed import Observed
from inferagent.policy.facts import Facts
from inferagent.policy.narrate import root_cause
from inferagent.policy.would import NOBODY, Note, Would, calm, imagine, resumed
from inferagent.ports import Clock, EventPort
from inferagent.runtime.changes import Change, Noted, changes, same
from inferagent.runtime.grounds import grounds

# Of changes of one sort no more than this an hour are written: a loop of crashes must not push out of the
# bounded file what happened before it. The next one that is written counts those that were not.
MOST, PERIOD = 30, 3600.0
FREE = (EventKind.AGENT, EventKind.FAULT, EventKind.WOULD)


@dataclass
class _Pace:
    """Counts the changes of one sort in the last hour."""

    written: deque[float] = field(default_factory=deque)
    unsaid: int = 0

    def may(self, now: float) -> bool:
        while self.written and now - self.written[0] >= PERIOD:
            self.written.popleft()
        if len(self.written) >= MOST:
            self.unsaid += 1
            return False
        self.written.append(now)
        return True


class Recorder:
    """Sees every tick of the loop; one that changes nothing costs next to nothing."""

    def __init__(self, port: EventPort, clock: Clock) -> None:
        self._port, self._clock = port, clock
        self._noted: Noted | None = None
        self._would = Would()
        self._paces: dict[tuple[EventKind, str], _Pace] = {}

    def tick(self, observed: Observed, desired: Desired, decision: Decision) -> None:
        started: tuple[Change, ...] = ()
        acting = desired.mode is not Mode.OBSERVE
        if self._noted is None:
            started = (self._begin(observed, desired, decision),)
            saved = decision.saved
            self._noted = Noted(
                decision.phase, decision.label, decision.causes, saved.faults, hold=saved.memory.hold
            )
        elif same(self._noted, observed, decision) and (acting or calm(self._would, observed, decision)):
            return
        self._noted, found = changes(self._noted, observed, decision)
        self._would, notes = imagine(self._would, observed, desired, decision)
        found = (*started, *found, *_imagined(notes))
        if found:
            self._write(found, observed, desired, decision)

    def _begin(self, observed: Observed, desired: Desired, decision: Decision) -> Change:
        """What stands when the agent starts began before it: one line says it as a whole."""
        if desired.mode is Mode.OBSERVE:
            self._would = resumed(_left_open(self._port.unfinished(), observed.boot), observed.now)
        text = f"agent {__version__} started, mode {desired.mode.value}: {decision.sentence}"
        return Change(EventKind.AGENT, text)

    def _write(
        self, found: Iterable[Change], observed: Observed, desired: Desired, decision: Decision
    ) -> None:
        facts = Facts(observed, desired, decision.saved, decision.causes, decision.findings)
        blank = Event(
            wall=self._clock.wall(),
            boot=observed.boot,
            at=observed.now,
            kind=EventKind.AGENT,
            text="",
            phase=decision.phase.value,
            label=decision.label.value if decision.label else "",
            evidence=grounds(observed, decision),
        )
        root = root_cause(facts) or NOBODY
        events = []
        for change in found:
            pace = self._paces.setdefault((change.kind, change.sort), _Pace())
            if change.kind in FREE or pace.may(observed.now):
                events.append(_event(blank, change, change.cause or root, pace.unsaid))
                pace.unsaid = 0
        if events:
            self._port.append(events)


def _event(blank: Event, change: Change, cause: Cause, unsaid: int) -> Event:
    """Evidence of this moment; an episode that goes on or ends did not begin with it."""
    later = change.episode is not None and change.episode.seconds > 0
    return replace(
        blank,
        kind=change.kind,
        text=change.text,
        cause=cause.code,
        why=cause.text,
        evidence=Evidence() if later else blank.evidence,
        episode=change.episode,
        unsaid=unsaid,
    )


def _imagined(notes: Iterable[Note]) -> Iterator[Change]:
    for episode, cause in notes:
        yield Change(EventKind.WOULD, _said(episode), episode.deed, cause, episode)


def _said(episode: Episode) -> str:
    if episode.deed == WATCH:
        return "observing" if episode.open else "observed"
    if episode.open and not episode.seconds:
        return f"would have {past(episode.deed)}"
    lasted = f"its cause {'has stood' if episode.open else 'stood'} for {episode.seconds:.0f} s"
    return f"would have {past(episode.deed)}: {lasted}"


def _left_open(events: Iterable[Event], boot: str) -> Iterator[Note]:
    for event in events:
        if event.episode is not None and event.boot == boot:
            yield event.episode, replace(NOBODY, code=event.cause, text=event.why)
