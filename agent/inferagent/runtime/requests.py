"""What the operator asks of the running agent: drain, lend, resume. The hold is on disk before the answer."""

from dataclasses import replace
from typing import Protocol

from inferagent.config.durations import format_duration, parse_duration
from inferagent.model.desired import Desired, Hold, Mode
from inferagent.model.health import Cause, CauseKind
from inferagent.model.membership import MembershipKind
from inferagent.model.observed import Observed
from inferagent.model.phase import Phase
from inferagent.model.saved import Saved
from inferagent.policy import lending
from inferagent.policy.facts import Facts
from inferagent.policy.leaving import may_not_leave, needs_last
from inferagent.policy.until import clock_time, ends_after, span
from inferagent.ports import Clock, PortError
from inferagent.runtime.desk import Answer, DrainRequest, LendRequest
from inferagent.runtime.holds import Holds


class Agent(Protocol):
    """What of the loop a request may touch: what is desired."""

    clock: Clock
    desired: Desired

    @property
    def holds(self) -> Holds: ...
    @property
    def seen(self) -> Observed | None: ...
    @property
    def saved(self) -> Saved: ...
    def wake(self) -> None: ...


def drain(agent: Agent, request: DrainRequest) -> Answer:
    """Refused in observe mode, and for the last endpoint without --last."""
    hold = _hold(agent, request.lasts)
    hold = replace(
        hold,
        reason=request.reason,
        stop_engine=request.stop_engine,
        last=request.last,
        deadline=request.deadline,
    )
    no = _not_now("drain", agent) or _refused("drain", hold, _leaves(agent, hold))
    said = f"held: out until {_end(hold, request.lasts)}{_too_short(agent, hold, request.lasts)}"
    return no or _begin(agent, hold, said)


def lend(agent: Agent, request: LendRequest) -> Answer:
    """As a drain that stops the engine; of the last endpoint only with --last, even while it is out."""
    hold = _hold(agent, request.lasts)
    hold = replace(
        hold,
        reason=request.reason,
        stop_engine=True,
        last=request.last,
        deadline=request.deadline,
        lend=True,
    )
    facts = _facts(agent, hold)
    no = _not_now("lend", agent) or _refused("lend", hold, needs_last(facts))
    no = no or _refused("lend", hold, _leaves(agent, hold))
    said = f"lent until {_end(hold, request.lasts)}: {_frees(facts)}{_too_short(agent, hold, request.lasts)}"
    return no or _begin(agent, hold, said)


def _frees(facts: Facts) -> str:
    freed, blind = lending.frees(facts), lending.unseen(facts)
    what = f"stops the engine, which frees {freed}" if freed else "stops the engine"
    return f"drains, {what}; comes back by itself" + (f" ({blind})" if blind else ", once the GPU is free")


def resume(agent: Agent) -> Answer:
    """End the hold; the way back in still needs its proof, and a GPU that was lent is waited for."""
    try:
        agent.holds.write(None)
    except PortError as problem:
        return Answer(False, f"cannot resume: {problem}", "df -h")
    lent = agent.desired.hold is not None and agent.desired.hold.lend
    agent.desired = replace(agent.desired, hold=None, resumed_at=agent.clock.now(), going_until=None)
    agent.wake()
    if agent.desired.mode is Mode.OBSERVE:
        return Answer(True, 'resumed: no hold stands; in mode "observe" nothing joins')
    facts = _facts(agent, None)
    used = lending.in_use(facts) if lent and facts.saved.lent else ""
    if used:
        again = "`inferagent resume` once more joins all the same"
        return Answer(True, f"resumed: joins when the GPU is free: {used}; {again}")
    return Answer(True, "resumed: joins once a generation has proven the engine")


def going(agent: Agent, seconds: float) -> Answer:
    """The host goes down within so many seconds; one that still lives a while after was not meant."""
    if agent.desired.mode is Mode.OBSERVE:
        return Answer(False, 'the mode is "observe"')
    agent.desired = replace(agent.desired, going_until=agent.clock.now() + seconds)
    agent.wake()
    return Answer(True, f"leaves: the host goes down within {seconds:.0f} s")


def _hold(agent: Agent, lasts: float | None) -> Hold:
    clock, wall = agent.clock, agent.clock.wall()
    until = None if lasts is None else ends_after(lasts, clock.now(), clock.boot(), wall)
    return Hold(wall=wall, until=until)


def _end(hold: Hold, lasts: float | None) -> str:
    if hold.until is None or lasts is None:
        return "`inferagent resume`"
    return f"{clock_time(hold.until.wall, hold.wall)}, in {span(lasts)}"


def _too_short(agent: Agent, hold: Hold, lasts: float | None) -> str:
    """ "" or how long the drain may take, where the hold may be over before it."""
    terms = agent.desired.terms
    longest = terms.deadline_operator if hold.deadline is None else hold.deadline
    if lasts is None or lasts >= longest or agent.saved.phase is Phase.OUT:
        return ""
    seen = min(terms.monitor_bound + terms.settle, longest)
    if terms.membership is MembershipKind.PULL and seen < longest:
        return f"; a drain takes up to {span(seen)} here, and {span(longest)} while requests still run"
    return f"; a drain takes up to {span(longest)} here"


def _facts(agent: Agent, hold: Hold | None) -> Facts:
    """Before the first tick: of nothing seen yet."""
    seen = agent.seen or Observed(agent.clock.now(), agent.clock.boot())
    return Facts(seen, replace(agent.desired, hold=hold), agent.saved)


def _not_now(deed: str, agent: Agent) -> Answer | None:
    if agent.desired.mode is Mode.OBSERVE:
        return Answer(False, f'cannot {deed}: the mode is "observe"', 'mode = "act" in config.toml')
    if agent.seen is None:
        return Answer(False, f"cannot {deed}: the agent has just started; try again", f"inferagent {deed}")
    return None


def _refused(deed: str, hold: Hold, why: str) -> Answer | None:
    if not why:
        return None
    lasts = f" --for {_spelt(hold.until.longest)}" if hold.until else ""
    last = " --last" if "--last" in why else ""
    return Answer(False, f"cannot {deed}: {why}", f"inferagent {deed}{lasts}{last}")


def _spelt(seconds: float) -> str:
    """As the option takes it: "2h10m", or exactly."""
    short = span(seconds).replace(" ", "")
    return short if parse_duration(short) == seconds else format_duration(seconds)


def _leaves(agent: Agent, hold: Hold) -> str:
    """ "" or why this host must not leave; one that is out already takes nothing from anybody."""
    facts = _facts(agent, hold)
    if facts.saved.phase in (Phase.OUT, Phase.DRAINING):
        return ""
    return may_not_leave(Cause(CauseKind.OPERATOR, "hold", "", 0.0), facts)


def _begin(agent: Agent, hold: Hold, message: str) -> Answer:
    try:
        agent.holds.write(hold)
    except PortError as problem:
        hold = replace(hold, durable=False)
        message = f"leaving, but the hold ends with this boot: {problem}"
    agent.desired = replace(agent.desired, hold=hold)
    agent.wake()
    return Answer(True, message)
