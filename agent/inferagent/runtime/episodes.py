"""Episodes of illness: one message when one opens, one when it is over, at most one between if it gets worse.

Ill is a host that is out and should be in, one that serves and reads disabled, and any finding that is
degraded or unhealthy. A host that a person holds, or that is parked, is as it should be.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from inferagent.model.action import Push, describe
from inferagent.model.decision import Decision
from inferagent.model.desired import Mode
from inferagent.model.health import WORSE, CauseKind, Finding
from inferagent.model.notice import Mark, Notice, NoticeKind, Scalar, Spell
from inferagent.model.observed import Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.status import Status
from inferagent.ports import Clock
from inferagent.runtime.grounds import grounds

AS_ASKED = ("parked", "engine-stopped")
OWN = "notify-"  # a receiver that is ill is nobody's news: it could not be told
GAP = 30.0  # seconds between two ticks beyond which nobody knows how the host was
MOST_DEEDS, MOST_FINDINGS = 8, 6


def ill(decision: Decision, document: Status) -> bool:
    if decision.label is Label.HELD or any(cause.kind is CauseKind.OPERATOR for cause in decision.causes):
        return False
    disabled = decision.phase is Phase.SERVING and document.membership.state == "out"
    if document.exit_code == 4 or disabled:
        return True
    return any(_counts(finding) for finding in decision.findings)


def _counts(finding: Finding) -> bool:
    return finding.health in WORSE and finding.code not in AS_ASKED and not finding.code.startswith(OWN)


@dataclass
class Episodes:
    """`after`: seconds of illness that open an episode, and of health that end it. `fresh` makes an id."""

    host: str
    clock: Clock
    after: float
    fresh: Callable[[], str]
    spell: Spell | None = None
    _last: tuple[float, bool] = (float("-inf"), False)  # the last tick, and whether it was ill

    def tick(self, observed: Observed, decision: Decision, document: Status) -> Notice | None:
        """The message that this tick calls for."""
        now_ill = ill(decision, document)
        (last, was_ill), self._last = self._last, (observed.now, now_ill)
        if self.spell is None:
            if not now_ill:
                return None
            self.spell = Spell(self.fresh(), self._mark(observed))
        passed = min(max(0.0, observed.now - last), GAP) if was_ill else 0.0
        self.spell = spell = _grown(self.spell, passed, self.after, decision)
        if now_ill:
            self.spell = replace(spell, well=None)
            return self._ill(observed, decision, document)
        self.spell = replace(spell, well=spell.well or self._mark(observed))
        return self._well(observed, decision, document)

    def _mark(self, observed: Observed) -> Mark:
        return Mark(observed.boot, observed.now, self.clock.wall())

    def _ill(self, observed: Observed, decision: Decision, document: Status) -> Notice | None:
        spell = self.spell
        assert spell is not None
        if spell.told is None and spell.ill >= self.after:
            grave = decision.label is Label.NEEDS_OPERATOR
            told = NoticeKind.WORSE if grave else NoticeKind.OPENED
            root, code = document.root_cause or document.sentence, _code(decision, document)
            self.spell = replace(spell, told=told, root_cause=root, code=code)
            return self._notice(NoticeKind.OPENED, observed, decision, document)
        if spell.told is NoticeKind.OPENED and spell.grave >= self.after:
            self.spell = replace(spell, told=NoticeKind.WORSE)
            return self._notice(NoticeKind.WORSE, observed, decision, document)
        return None

    def _well(self, observed: Observed, decision: Decision, document: Status) -> Notice | None:
        spell = self.spell
        assert spell is not None
        assert spell.well is not None
        if _between(spell.well, self._mark(observed)) < self.after:
            return None
        notice = None
        if spell.told is not None:
            notice = self._notice(NoticeKind.OVER, observed, decision, document)
        self.spell = None
        return notice

    def _notice(self, kind: NoticeKind, observed: Observed, decision: Decision, document: Status) -> Notice:
        spell = self.spell
        assert spell is not None
        seconds = _between(spell.since, spell.well or self._mark(observed))
        over = kind is NoticeKind.OVER
        notice = Notice(
            id=f"{spell.id}-{kind.value}",
            kind=kind,
            host=self.host,
            text="",
            wall=self.clock.wall(),
            episode=spell.id,
            mode=document.mode,
            phase=document.phase,
            label=document.label,
            code=spell.code if over else _code(decision, document),
            root_cause=spell.root_cause if over else document.root_cause or document.sentence,
            cure="" if over else document.cure,
            since=spell.since.wall,
            seconds=seconds,
            findings=() if over else tuple(_others(decision, document)),
            evidence=() if over else tuple(_numbers(observed, decision)),
            done=tuple(f"{what} ({count}×)" if count > 1 else what for what, count in spell.done),
        )
        return replace(notice, text=text_of(notice, document.sentence))


def text_of(notice: Notice, sentence: str) -> str:
    """For a person, in a few lines."""
    lasted = _span(notice.seconds)
    observing = " (observe mode: nothing is changed)" if notice.mode == Mode.OBSERVE.value else ""
    if notice.kind is NoticeKind.OVER:
        done = ", ".join(notice.done) or "nothing by the agent"
        lines = [
            f"{notice.host}: over after {lasted}{observing}",
            f"it was: {notice.root_cause}",
            f"done: {done}",
            f"now: {sentence}",
        ]
        return "\n".join(lines)
    head = "needs a person" if notice.kind is NoticeKind.WORSE else f"ill for {lasted}"
    lines = [f"{notice.host}: {head}{observing}: {sentence}"]
    if notice.root_cause not in sentence:
        lines.append(f"because: {notice.root_cause}")
    lines += [f"also: {text}" for text in notice.findings]
    lines += [f"done: {', '.join(notice.done)}"] if notice.done else []
    lines.append(f"since: {notice.since}")
    return "\n".join([*lines, f"→ {notice.cure}"] if notice.cure else lines)


def _grown(spell: Spell, passed: float, after: float, decision: Decision) -> Spell:
    """With the time since the last tick, and what this one does; deeds that are tried again count once."""
    done = dict(spell.done)
    for action in decision.actions:
        what = describe(action)
        if what in done or len(done) < MOST_DEEDS:
            done[what] = 1 if isinstance(action, Push) else done.get(what, 0) + 1
    # no more is counted than is asked for: what stands still is not written again
    grave = min(spell.grave + passed, after) if decision.label is Label.NEEDS_OPERATOR else 0.0
    return replace(spell, ill=min(spell.ill + passed, after), grave=grave, done=tuple(done.items()))


def _between(start: Mark, end: Mark) -> float:
    """Seconds; across a boot by the wall clock, 0 where that says nothing."""
    if start.boot == end.boot:
        return max(0.0, end.at - start.at)
    try:
        passed = datetime.fromisoformat(end.wall) - datetime.fromisoformat(start.wall)
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, passed.total_seconds())


def _code(decision: Decision, document: Status) -> str:
    """Of the root cause; without any, what it does while it is out, else the first finding that counts."""
    if document.root_code or document.exit_code == 4:
        return document.root_code or document.label
    return next((one.code for one in decision.findings if _counts(one)), document.phase)


def _others(decision: Decision, document: Status) -> Iterator[str]:
    """What the sentence and the root cause do not say."""
    said = f"{document.sentence} {document.root_cause}"
    texts = (finding.text for finding in decision.findings if _counts(finding) and finding.text not in said)
    for _, text in zip(range(MOST_FINDINGS), texts, strict=False):
        yield text


def _numbers(observed: Observed, decision: Decision) -> Iterator[tuple[str, Scalar]]:
    """What is unknown is left out."""
    for name, value in asdict(grounds(observed, decision)).items():
        if value is not None and value != "":
            yield name, round(value, 1) if isinstance(value, float) else value


def _span(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 20 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
