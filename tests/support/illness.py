"""One host as messages see it: tick after tick, well or ill in the ways that the tests name."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from inferagent.model.action import Action
from inferagent.model.decision import Decision, InFlight, Pace
from inferagent.model.desired import Desired, Mode
from inferagent.model.health import Cause, CauseKind, Component, Finding, Health
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.model.observed import Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import Value
from inferagent.model.saved import Saved
from inferagent.model.status import Status
from inferagent.runtime.report import Scene, status

HUNG = Cause(CauseKind.INFERRED, "engine-hung", "the engine hangs", 0.0, cure="look at its log")
HELD = Cause(CauseKind.OPERATOR, "hold", "held by the operator", 0.0, component=Component.HOST)
GONE = Cause(CauseKind.CERTAIN, "engine-gone", "the engine's process is gone", 0.0)
FULL = Finding("disk-full", Component.HOST, Health.DEGRADED, "the disk is full", 0.0)
ZONE = timezone(timedelta(hours=1))


@dataclass
class Clock:
    """The Clock port, moved by hand; `ahead`: seconds by which the wall clock is ahead."""

    second: float = 1000.0
    number: int = 1
    ahead: float = 0.0

    def now(self) -> float:
        return self.second

    def boot(self) -> str:
        return f"boot-{self.number}"

    def wall(self) -> str:
        start = datetime(2026, 11, 22, 12, 0, 0, tzinfo=ZONE)
        moment = start + timedelta(seconds=self.second + self.ahead)
        return moment.isoformat(timespec="seconds")

    async def sleep(self, seconds: float) -> None:
        self.second += seconds

    def reboot(self, down: float = 60.0) -> None:
        self.ahead += self.second + down - 20.0
        self.second, self.number = 20.0, self.number + 1


@dataclass(frozen=True)
class How:
    """How the host is in one tick."""

    phase: Phase = Phase.SERVING
    label: Label | None = None
    causes: tuple[Cause, ...] = ()
    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = ()
    enabled: bool = True
    mode: Mode = Mode.ACT
    sentence: str = ""

    def decision(self) -> Decision:
        told = tuple(
            Finding(one.code, one.component, _health(one), one.text, one.since) for one in self.causes
        )
        return Decision(
            phase=self.phase,
            label=self.label,
            verdict=self.phase is Phase.SERVING,
            saved=Saved(phase=self.phase),
            findings=(*told, *self.findings),
            causes=self.causes,
            actions=self.actions,
            vetoes=(),
            pace=Pace(),
            sentence=self.sentence or f"{self.phase}",
            in_flight=InFlight(0, 0),
        )

    def seen(self, clock: Clock) -> Observed:
        view = MembershipView(Endpoint("here", self.enabled, self.enabled or None), ())
        return Observed(clock.now(), clock.boot(), membership=Value(view, clock.now()))

    def document(self, clock: Clock) -> Status:
        seen = self.seen(clock)
        wishes = replace(Desired(), mode=self.mode)
        return status(Scene("here", seen, wishes, self.decision(), seen.membership, clock.wall()))


def _health(cause: Cause) -> Health:
    if cause.kind is CauseKind.OPERATOR:
        return Health.HEALTHY
    return Health.DEGRADED if cause.kind is CauseKind.SOFT else Health.UNHEALTHY


WELL = How()
ILL = How(Phase.OUT, Label.RECOVERING, (HUNG,), enabled=False, sentence="out, recovering: the engine hangs")
WARMING = How(Phase.OUT, Label.WARMING, enabled=False, sentence="out, warming")
GRAVE = How(Phase.OUT, Label.NEEDS_OPERATOR, (GONE,), enabled=False, sentence="out, needs-operator")
HELD_OUT = How(Phase.OUT, Label.HELD, (HELD, HUNG), enabled=False, sentence="held by the operator")
JOINING = How(Phase.JOINING)


@dataclass
class Ids:
    """Small numbers instead of chance."""

    made: list[str] = field(default_factory=list)

    def __call__(self) -> str:
        self.made.append(f"e{len(self.made) + 1}")
        return self.made[-1]
