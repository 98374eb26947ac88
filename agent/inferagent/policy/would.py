"""Observe mode: what mode act would have done, as episodes (pure; the last note of an episode counts).

In observe mode the phase mirrors the readings, so a proposal repeats for as long as its cause stands, and a
host that the monitor has found ill is out by itself. Here a host is imagined that leaves by a drain only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from inferagent.model.action import Move
from inferagent.model.decision import Decision, Veto
from inferagent.model.desired import Desired, Mode
from inferagent.model.event import DRAIN, WATCH, Episode
from inferagent.model.health import Cause, CauseKind, Repair
from inferagent.model.observed import Observed
from inferagent.model.phase import Phase
from inferagent.policy import budget
from inferagent.policy.facts import Facts
from inferagent.policy.rules import RULES, Rule

# Causes less far apart than this are one absence: mode act holds a join off at least so long.
CALM = 60.0
# An open episode is noted when it has lasted so long, and whenever it has lasted twice as long as at its last
# note, but once an hour at least: so much of it is lost at most with the agent.
FIRST_NOTE, NOTES = 60.0, 3600.0
REPAIRS = (Repair.START_ENGINE.value, Repair.RESTART_ENGINE.value, "start connector", "restart connector")
RESTARTS = (Repair.RESTART_ENGINE, Repair.RESTART_CONNECTOR)
NOBODY = Cause(CauseKind.SOFT, "", "", 0.0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One open episode. `last`: when it last stood; `noted`: how long it was at its last note; not over
    before `back`."""

    deed: str
    cause: Cause
    began: float
    last: float
    noted: float = 0.0
    back: float = 0.0


@dataclass(frozen=True, slots=True)
class Would:
    """`inside`: the imagined host is in the pool. `level`, `over_at`: its hold-off, as in mode act (S9)."""

    inside: bool = False
    stretches: tuple[Stretch, ...] = ()
    level: int = 0
    over_at: float = float("-inf")

    def open(self, deed: str) -> Stretch | None:
        return next((stretch for stretch in self.stretches if stretch.deed == deed), None)


Note = tuple[Episode, Cause]


def calm(would: Would, observed: Observed, decision: Decision) -> bool:
    """Nothing but watching goes on, and it is not to be noted yet."""
    if decision.causes or decision.vetoes or len(would.stretches) != 1:
        return False
    (watch,) = would.stretches
    serves = decision.phase is Phase.SERVING
    return watch.deed == WATCH and would.inside is serves and observed.now < watch.began + _next(watch)


def imagine(
    would: Would, observed: Observed, desired: Desired, decision: Decision, rules: Sequence[Rule] = RULES
) -> tuple[Would, tuple[Note, ...]]:
    """After this tick: what is open now, and what is to be noted."""
    if desired.mode is not Mode.OBSERVE:
        return would, ()
    facts = Facts(observed, desired, decision.saved, decision.causes, decision.findings)
    inside, drain = _inside(would, facts), would.open(DRAIN)
    standing = {WATCH: NOBODY, **_repaired(facts, decision.vetoes)}
    if drain is not None:
        standing.update(_overdue(drain, facts))
        if facts.causes or not decision.verdict or facts.unit is None:  # ill, refusing, or nobody can tell
            standing[DRAIN] = drain.cause
    leaving = _leaving(facts, rules) if inside and drain is None else None
    level = would.level
    if leaving is not None:
        standing[DRAIN] = leaving
        calm_for = facts.now - would.over_at
        level = _level(0 if calm_for >= facts.terms.hold_off_reset else level, leaving)
    kept, notes = _keep(would.stretches, standing, facts.now)
    new = [_begin(deed, cause, facts, level) for deed, cause in standing.items() if would.open(deed) is None]
    over = any(episode.deed == DRAIN and not episode.open for episode, _ in notes)
    after = Would(
        inside=inside and not any(stretch.deed == DRAIN for stretch in (*kept, *new)),
        stretches=(*kept, *new),
        level=level,
        over_at=facts.now if over else would.over_at,
    )
    return after, (*notes, *((Episode(one.deed, one.began), one.cause) for one in new))


def _level(level: int, cause: Cause) -> int:
    return level + 1 if cause.kind in (CauseKind.INFERRED, CauseKind.CERTAIN) else level


def _inside(would: Would, facts: Facts) -> bool:
    """In or out by a reading; unknown keeps what was seen, and so does a monitor that finds it ill."""
    if facts.own is None:
        return would.inside
    return facts.own.effective or (would.inside and facts.own.enabled)


def _leaving(facts: Facts, rules: Sequence[Rule]) -> Cause | None:
    """The first cause for which nothing but the mode would keep the host in."""
    serving = replace(facts.saved, phase=Phase.SERVING)
    facts = Facts(facts.observed, facts.desired, serving, facts.causes, facts.findings)
    checks = [rule.check for rule in rules if rule.name != "observe"]
    moves = (Move(Phase.DRAINING, cause) for cause in facts.causes)
    return next((move.cause for move in moves if not any(check(move, facts) for check in checks)), None)


def _overdue(drain: Stretch, facts: Facts) -> dict[str, Cause]:
    """No restart of what still runs is ever proposed for a host that stays in: after the deadline of a drain,
    mode act would have been out in any case, and free to repair."""
    bound = facts.terms.deadline_alone if facts.alone else facts.terms.deadline
    if facts.now - drain.began < bound:
        return {}
    return {cause.repair.value: cause for cause in facts.causes if cause.repair in RESTARTS}


def _repaired(facts: Facts, vetoes: Iterable[Veto]) -> dict[str, Cause]:
    """The repairs that nothing but the mode stops."""
    stopped: dict[str, set[str]] = {}
    for veto in vetoes:
        if veto.proposal in REPAIRS:
            stopped.setdefault(veto.proposal, set()).add(veto.rule)
    return {deed: _cause_of(deed, facts.causes) for deed, rules in stopped.items() if rules == {"observe"}}


def _cause_of(deed: str, causes: Iterable[Cause]) -> Cause:
    part = deed.rpartition(" ")[2]
    fitting = (cause for cause in causes if cause.repair.value == deed or cause.component.value == part)
    return next(fitting, NOBODY)


def _begin(deed: str, cause: Cause, facts: Facts, level: int) -> Stretch:
    now, back = facts.now, facts.now
    if deed == DRAIN and level and not facts.alone:
        back = now + budget.hold_off(level, facts.terms.hold_off)
    return Stretch(deed, cause, now, now, back=back)


def _keep(
    stretches: Iterable[Stretch], standing: dict[str, Cause], now: float
) -> tuple[list[Stretch], list[Note]]:
    kept, notes = [], []
    for stretch in stretches:
        stands = stretch.deed in standing
        seconds = (now if stands else stretch.last) - stretch.began
        if not stands and now >= max(stretch.last + CALM, stretch.back):
            notes.append((Episode(stretch.deed, stretch.began, seconds, open=False), stretch.cause))
            continue
        due = seconds >= _next(stretch)
        if due:
            notes.append((Episode(stretch.deed, stretch.began, seconds), stretch.cause))
        if stands:
            stretch = replace(stretch, last=now, noted=seconds if due else stretch.noted)
        kept.append(stretch)
    return kept, notes


def _next(stretch: Stretch) -> float:
    """How long it is to last until its next note."""
    return stretch.noted + min(max(FIRST_NOTE, stretch.noted), NOTES)


def resumed(episodes: Iterable[Note], now: float) -> Would:
    """After a restart of the agent within the boot: what was open a moment ago goes on until it is seen to be
    over; how things are is to be seen again, which takes as long as calm does."""
    going = [
        Stretch(one.deed, cause, one.began, one.began + one.seconds, one.seconds, now + CALM)
        for one, cause in episodes
        if one.open and one.deed != WATCH and 0 <= now - one.began - one.seconds <= _unseen(one.seconds)
    ]
    return Would(stretches=tuple(going))


def _unseen(noted: float) -> float:
    """The longest time that an open episode may go on between two notes, and one agent's absence."""
    return min(max(FIRST_NOTE, noted), NOTES) + CALM
