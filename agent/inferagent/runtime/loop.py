"""The loop: wake, snapshot, decide, save, act, report; one writer of the phase, no waiting inside a tick."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from inferagent.model.action import Push
from inferagent.model.change import changed
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired, Mode
from inferagent.model.health import CauseKind
from inferagent.model.observed import Observed
from inferagent.model.reading import Failed, Value
from inferagent.model.saved import Memory, Saved
from inferagent.model.status import Status
from inferagent.policy.decide import decide
from inferagent.policy.rules import RULES, Rule
from inferagent.policy.wake import of_pool, wake
from inferagent.ports import Clock, PortError, StatePort, VerdictPort
from inferagent.runtime import requests
from inferagent.runtime.act import Hands
from inferagent.runtime.board import Board
from inferagent.runtime.desk import Answer, DrainRequest, LendRequest
from inferagent.runtime.holds import Holds
from inferagent.runtime.log_line import LogLine, log_line
from inferagent.runtime.report import Scene, status
from inferagent.runtime.walls import Walls

log = structlog.get_logger()

VERDICT_TROUBLE = "verdict-not-written"
AFTER_A_BUG = 5.0
STILL_HERE = 60.0  # seconds after its own time for which a host may still be going down
BLANK = Memory()


def unrecorded(_observed: Observed, _desired: Desired, _decision: Decision) -> None:
    """Where nobody keeps events."""


@dataclass
class Loop:
    """`pace` gets each decision, to set the probes' pace; `publish` gets each Status document; `record`
    sees each tick."""

    host: str
    clock: Clock
    board: Board
    hands: Hands
    state: StatePort
    verdict: VerdictPort
    desired: Desired
    pace: Callable[[Decision], None]
    publish: Callable[[Status], None]
    rules: Sequence[Rule] = RULES
    record: Callable[[Observed, Desired, Decision], None] = unrecorded
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    document: Status | None = None
    bugs: int = 0  # ticks that failed by a bug
    holds: Holds = field(init=False)
    _saved: Saved = field(default_factory=Saved)
    _on_disk: Saved | None = None
    _observed: Observed | None = None
    _said: LogLine | None = None
    _walls: Walls = field(default_factory=Walls)

    def __post_init__(self) -> None:
        self.holds = Holds(self.state, self.clock)

    def begin(self) -> None:
        """Take up the saved state and the hold. Raises PortError when the state must not be used."""
        clock, terms = self.clock, self.desired.terms
        before = of_pool(self.state.load(), terms.pool)
        woken = wake(before, clock.now(), clock.boot(), self.verdict.read(), terms.hold_off)
        self._saved = replace(woken, pool=terms.pool)
        self.desired = replace(self.desired, hold=self.holds.load())

    async def run(self) -> None:
        """Tick until cancelled: at each wake-up, and at the decision's pace at the latest."""
        while True:
            self.woken.clear()
            pace = self._tick_or_log()
            try:
                async with asyncio.timeout(pace):
                    await self.woken.wait()
            except TimeoutError:
                continue

    def _tick_or_log(self) -> float:
        """Seconds to the next tick. A bug does not end the agent, but that tick feeds no watchdog."""
        try:
            return self.tick().pace.tick
        except Exception:
            self.bugs += 1
            log.exception("tick failed by a bug")
            return AFTER_A_BUG

    def tick(self) -> Decision:
        """One pass; never waits."""
        now = self.clock.now()
        self._pass_time()
        self._observed = self.board.snapshot(now, self.clock.boot(), self.hands.jobs.view())
        decision = decide(self._observed, self.desired, self._saved, self.rules)
        gone = self._leave_first(decision)
        if not self._save(decision.saved, now):
            self._observed = replace(self._observed, save=self.board.save)
            decision = decide(self._observed, self.desired, self._saved, self.rules)
        self._saved = decision.saved
        self._tell(decision)
        self.hands.act(action for action in decision.actions if not (gone and _leaves(action)))
        self.pace(decision)
        self._report(decision)
        self.record(self._observed, self.desired, decision)
        return decision

    def _pass_time(self) -> None:
        hold = self.holds.keep(self.desired.hold)
        if hold is not self.desired.hold:
            self.desired = replace(self.desired, hold=hold)
        until = self.desired.going_until
        if until is not None and self.clock.now() >= until + STILL_HERE:
            log.warning("the host was to go down and still lives: going is over")
            self.desired = replace(self.desired, going_until=None)

    def _leave_first(self, decision: Decision) -> bool:
        """Leaving waits for no disk: the verdict and the write go out before the state is saved."""
        if not decision.verdict:
            self._tell(decision)
        leaving = [action for action in decision.actions if _leaves(action)]
        self.hands.act(leaving)
        return bool(leaving)

    def _tell(self, decision: Decision) -> None:
        """Every tick: what became of the last verdict is the port's to know.

        Without saved state nothing is told before the first reading says whether users are served already; a
        host with a certain cause serves nobody.
        """
        ill = any(cause.kind is CauseKind.CERTAIN for cause in decision.causes)
        if self.desired.mode is Mode.ACT and not decision.saved.adopted and not ill:
            return
        trouble = ""
        try:
            self.verdict.write(decision.verdict, decision.phase.value)
        except PortError as problem:
            trouble = str(problem)
        if trouble and trouble != self.board.troubles.get(VERDICT_TROUBLE):
            log.error("verdict not written", error=trouble)
        self.board.troubles[VERDICT_TROUBLE] = trouble

    def _save(self, saved: Saved, now: float) -> bool:
        """Whether what must be on disk is there; the memory between ticks is no part of it."""
        durable = changed(saved, memory=BLANK)
        if durable == self._on_disk and not isinstance(self.board.save, Failed):
            return True
        try:
            self.state.save(durable)
        except PortError as problem:
            self.board.save = Failed(str(problem), now)
            return False
        self._on_disk = durable
        self.board.save = Value(True, now)
        return True

    def _report(self, decision: Decision) -> None:
        assert self._observed is not None
        self.document = status(
            Scene(
                self.host,
                self._observed,
                self.desired,
                decision,
                self.board.last_membership,
                self.clock.wall(),
                self.board.turned_at,
                self._walls,
            )
        )
        self.publish(self.document)
        line = log_line(self.document)
        if not line.same(self._said):
            self._said = line
            getattr(log, line.level)(line.text, **line.keys())

    # what the control socket asks for

    def status(self) -> Status | None:
        return self.document

    def drain(self, request: DrainRequest) -> Answer:
        return requests.drain(self, request)

    def lend(self, request: LendRequest) -> Answer:
        return requests.lend(self, request)

    def resume(self) -> Answer:
        return requests.resume(self)

    def going(self, seconds: float) -> Answer:
        return requests.going(self, seconds)

    # and what answering takes

    @property
    def seen(self) -> Observed | None:
        return self._observed

    @property
    def saved(self) -> Saved:
        return self._saved

    def wake(self) -> None:
        self.woken.set()

    def keep(self, saved: Saved) -> bool:
        """Go on from this state; whether it is on disk as well."""
        self._saved = saved
        return self._save(saved, self.clock.now())


def _leaves(action: object) -> bool:
    return isinstance(action, Push) and not action.member
