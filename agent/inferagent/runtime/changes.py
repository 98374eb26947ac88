"""What changed between two ticks (pure): a change is said once, a level never."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from inferagent.model.action import Action, Push, describe, slot
from inferagent.model.decision import Decision
from inferagent.model.desired import Hold
from inferagent.model.event import Episode, EventKind
from inferagent.model.health import Cause, Component, Finding
from inferagent.model.membership import MembershipView
from inferagent.model.observed import Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import NEVER, Reading, Value
from inferagent.model.saved import Fault
from inferagent.policy.track import same_word

HOLDS = ("hold", "other-hand")
PUSH = slot(Push(False))

Pairs: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """`cause` None: the root cause of that moment. `sort`: what changes of this kind are counted by."""

    kind: EventKind
    text: str
    sort: str = ""
    cause: Cause | None = None
    episode: Episode | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """What the events so far say. `deeds` and `failures`: what was last said of each job, by its slot."""

    phase: Phase
    label: Label | None
    causes: tuple[Cause, ...] = ()
    faults: tuple[Fault, ...] = ()
    membership: Reading[MembershipView] = NEVER
    deeds: Pairs = ()
    failures: Pairs = ()
    checks: tuple[Finding, ...] = ()  # findings of the user's own checks
    hold: Hold | None = None  # the operator's word


def same(noted: Noted, observed: Observed, decision: Decision) -> bool:
    """The calm tick, told apart by identities; a cause that stands by its code."""
    if decision.phase is not noted.phase or decision.label is not noted.label or decision.actions:
        return False
    if len(decision.causes) != len(noted.causes) or decision.saved.faults != noted.faults:
        return False
    if any(one.code != other.code for one, other in zip(decision.causes, noted.causes, strict=True)):
        return False
    if _replaced(noted.hold, decision.saved.memory.hold):
        return False
    reading = observed.membership
    if reading is not noted.membership and isinstance(reading, Value):
        return False
    if not _same_checks(noted.checks, _checks(decision)):
        return False
    return _failing(noted, observed) == noted.failures


def changes(noted: Noted, observed: Observed, decision: Decision) -> tuple[Noted, tuple[Change, ...]]:
    """The changes since what is noted, in the order of their causes: readings, judgement, phase, deeds."""
    after = replace(
        noted,
        phase=decision.phase,
        label=decision.label,
        causes=decision.causes,
        faults=decision.saved.faults,
        membership=observed.membership if isinstance(observed.membership, Value) else noted.membership,
        failures=_failing(noted, observed),
        checks=_checks(decision),
        hold=decision.saved.memory.hold,
    )
    judged = (*_read(noted, after), *_faults(noted, after), *_causes(noted, after, observed.now))
    judged = (*judged, *_check_changes(noted, after, observed.now))
    moved = (*judged, *_moves(noted, after, decision.sentence))
    known = {name: said for name, said in noted.deeds if not (moved and name == PUSH)}
    done = tuple(_deeds(known, observed, decision.actions))
    return replace(after, deeds=tuple(known.items())), (*moved, *_failures(noted, after), *done)


def _deeds(known: dict[str, str], observed: Observed, actions: Iterable[Action]) -> Iterator[Change]:
    """A deed that is tried again because it failed, and a write that is sent again, are no change."""
    for action in actions:
        name, said = slot(action), describe(action)
        again = name == PUSH or observed.job(name).failures > 0
        if not (again and known.get(name) == said):
            yield Change(EventKind.ACTION, f"{said}: {action.why}" if action.why else said, said)
        known[name] = said


def _failing(noted: Noted, observed: Observed) -> Pairs:
    """Jobs that ended in an error; one that is tried again has not succeeded yet."""
    if not noted.failures:
        return tuple((name, job.error) for name, job in observed.jobs if job.error)
    known = dict(noted.failures)
    errors = (
        (name, job.error or (known.get(name, "") if job.running else "")) for name, job in observed.jobs
    )
    return tuple((name, error) for name, error in errors if error)


def _read(noted: Noted, after: Noted) -> Iterator[Change]:
    before, now = _pool(noted.membership), _pool(after.membership)
    if now != before:
        yield Change(EventKind.MEMBERSHIP, f"the pool reads: {now}")


def _pool(reading: Reading[MembershipView]) -> str:
    if not isinstance(reading, Value):
        return ""
    own, peers = reading.value.own, reading.value.peers
    health = {True: "healthy", False: "not healthy", None: "not looked at yet"}[own.healthy]
    here = f"in, {health}" if own.enabled else "out"
    return here if peers is None else f"{here}; {sum(p.effective for p in peers)} of {len(peers)} others"


def _faults(noted: Noted, after: Noted) -> Iterator[Change]:
    known, present = {f.gpu for f in noted.faults}, {f.gpu for f in after.faults}
    yield from (Change(EventKind.FAULT, fault.text) for fault in after.faults if fault.gpu not in known)
    yield from (Change(EventKind.FAULT, f"over: {f.text}") for f in noted.faults if f.gpu not in present)


def _causes(noted: Noted, after: Noted, now: float) -> Iterator[Change]:
    """By code: the text of a cause that stands counts on."""
    known, present = {c.code for c in noted.causes}, {c.code for c in after.causes}
    for cause in after.causes:
        if cause.code == HOLDS[0] and cause.code in known and _replaced(noted.hold, after.hold):
            yield Change(EventKind.HOLD, f"replaced: {cause.text}", cause.code, cause)
        elif cause.code not in known:
            kind = EventKind.HOLD if cause.code in HOLDS else EventKind.BEGINS
            yield Change(kind, cause.text, cause.code, cause)
    for cause in noted.causes:
        if cause.code not in present:
            kind = EventKind.RESUME if cause.code in HOLDS else EventKind.ENDS
            yield Change(kind, f"over after {now - cause.since:.0f} s: {cause.text}", cause.code, cause)


def _replaced(before: Hold | None, now: Hold | None) -> bool:
    """By another word of the operator; that the clocks move its end is none."""
    return before is not now and before is not None and now is not None and not same_word(now, before)


def _checks(decision: Decision) -> tuple[Finding, ...]:
    """Of the user's own checks what no cause says."""
    if not decision.findings:
        return ()
    causes = {cause.code for cause in decision.causes}
    return tuple(
        one for one in decision.findings if one.component is Component.CHECK and one.code not in causes
    )


def _same_checks(before: tuple[Finding, ...], now: tuple[Finding, ...]) -> bool:
    return [(one.code, one.health) for one in before] == [(one.code, one.health) for one in now]


def _check_changes(noted: Noted, after: Noted, now: float) -> Iterator[Change]:
    """By code and health: the text counts on. What has become a cause is not over."""
    known = {one.code: one for one in noted.checks}
    present = {one.code for one in after.checks} | {cause.code for cause in after.causes}
    for one in after.checks:
        before = known.get(one.code)
        if before is None or before.health is not one.health:
            yield Change(EventKind.CHECK, one.text, one.code)
    for one in noted.checks:
        if one.code not in present:
            yield Change(EventKind.CHECK, f"over after {now - one.since:.0f} s: {one.text}", one.code)


def _moves(noted: Noted, after: Noted, sentence: str) -> Iterator[Change]:
    if after.phase is not noted.phase:
        yield Change(EventKind.PHASE, sentence, after.phase.value)
    elif after.label is not noted.label:
        yield Change(EventKind.LABEL, sentence, str(after.label))


def _failures(noted: Noted, after: Noted) -> Iterator[Change]:
    known = dict(noted.failures)
    for name, error in after.failures:
        if known.get(name) != error:
            yield Change(EventKind.FAILED, f"{name}: {error}", name)
