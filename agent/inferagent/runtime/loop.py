"""The loop: wake, snapshot, decide, save, act, report; one writer of the phase, no waiting inside a tick."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from inferagent.model.action import Push
from inferagent.model.change import changed
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired, Hold, Mode
from inferagent.model.health import Cause, CauseKind
from inferagent.model.observed import Observed
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, Value
from inferagent.model.saved import Memory, Saved
from inferagent.model.status import Status
from inferagent.policy.decide import decide
from inferagent.policy.facts import Facts
from inferagent.policy.leaving import may_not_leave
from inferagent.policy.rules import RULES, Rule
from inferagent.policy.wake import wake
from inferagent.ports import Clock, PortError, StatePort, VerdictPort
from inferagent.runtime.act import Hands
from inferagent.runtime.board import Board
from inferagent.runtime.control import Answer, DrainRequest
from inferagent.runtime.report import Scene, quiet_copy, status

log = structlog.get_logger()

VERDICT_TROUBLE = "verdict-not-written"
AFTER_A_BUG = 5.0
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
    _saved: Saved = field(default_factory=Saved)
    _on_disk: Saved | None = None
    _observed: Observed | None = None
    _said: Status | None = None
    _walls: tuple[float, str] = (float("-inf"), "")

    def begin(self) -> None:
        """Take up the saved state and the hold. Raises PortError when the state must not be used."""
        clock, first = self.clock, self.desired.terms.hold_off
        self._saved = wake(self.state.load(), clock.now(), clock.boot(), self.verdict.read(), first)
        self.desired = replace(self.desired, hold=self.state.load_hold())

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

    def _leave_first(self, decision: Decision) -> bool:
        """Leaving waits for no disk: the verdict and the write go out before the state is saved."""
        if not decision.verdict:
            self._tell(decision)
        leaving = [action for action in decision.actions if _leaves(action)]
        self.hands.act(leaving)
        return bool(leaving)

    def _tell(self, decision: Decision) -> None:
        """Every tick: what became of the last verdict is the port's to know.

        Without saved state nothing is told before the first reading says whether users are served already.
        """
        if self.desired.mode is Mode.ACT and not decision.saved.adopted:
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
        saved = decision.saved
        if self._walls[0] != saved.since:
            self._walls = (saved.since, self.clock.wall())
        assert self._observed is not None
        self.document = status(
            Scene(
                self.host,
                self._observed,
                self.desired,
                decision,
                self.board.last_membership,
                self.clock.wall(),
                self._walls[1],
            )
        )
        self.publish(self.document)
        said = quiet_copy(self.document)
        if said != self._said:
            self._said = said
            log.info(
                decision.sentence,
                phase=decision.phase.value,
                label=said.label,
                cause=said.root_cause,
                findings=[finding.code for finding in decision.findings],
            )

    # what the control socket asks for

    def status(self) -> Status | None:
        return self.document

    def drain(self, request: DrainRequest) -> Answer:
        """Write the hold, then answer; refused in observe mode, and for the last endpoint without --last."""
        if self.desired.mode is Mode.OBSERVE:
            return Answer(False, 'cannot drain: the mode is "observe"', 'mode = "act" in config.toml')
        hold = Hold(
            wall=self.clock.wall(),
            reason=request.reason,
            stop_engine=request.stop_engine,
            last=request.last,
            deadline=request.deadline,
        )
        refused = self._refused(hold)
        if refused:
            last = " --last" if "--last" in refused else ""
            return Answer(False, f"cannot drain: {refused}", f"inferagent drain{last}")
        message = "held: out until `inferagent resume`"
        try:
            self.state.save_hold(hold)
        except PortError as problem:
            hold = replace(hold, durable=False)
            message = f"leaving, but the hold ends with this boot: {problem}"
        self.desired = replace(self.desired, hold=hold)
        self.woken.set()
        return Answer(True, message)

    def _refused(self, hold: Hold) -> str:
        if self._observed is None:
            return "the agent has just started; try again"
        if self._saved.phase in (Phase.OUT, Phase.DRAINING):
            return ""
        facts = Facts(self._observed, replace(self.desired, hold=hold), self._saved)
        return may_not_leave(Cause(CauseKind.OPERATOR, "hold", "", 0.0), facts)

    def resume(self) -> Answer:
        """End the hold; the way back in still needs its proof."""
        try:
            self.state.save_hold(None)
        except PortError as problem:
            return Answer(False, f"cannot resume: {problem}", "df -h")
        self.desired = replace(self.desired, hold=None, resumed_at=self.clock.now())
        self.woken.set()
        if self.desired.mode is Mode.OBSERVE:
            return Answer(True, 'resumed: no hold stands; in mode "observe" nothing joins')
        return Answer(True, "resumed: joins once a generation has proven the engine")


def _leaves(action: object) -> bool:
    return isinstance(action, Push) and not action.member
