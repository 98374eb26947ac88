"""The safety rules S1–S16 that stop a proposal, as a list of small functions; `decide` is given the list.

Each returns "" or why not. S4 and S10 have no function: the write itself (one PATCH of `enabled`) and the
waking of the agent keep them; S13 also needs the hold's own file. Observe mode is a rule like the others.
"""

from collections.abc import Callable
from dataclasses import dataclass

from inferagent.model.action import Move, Proposal, Push, Restart, Start, Stay, Stop
from inferagent.model.desired import Mode
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, Value, known
from inferagent.model.unit import Part
from inferagent.policy import budget
from inferagent.policy.facts import Facts
from inferagent.policy.faults import of_engine, unseen_since
from inferagent.policy.judge_checks import not_looked_at
from inferagent.policy.judge_connector import two_agents
from inferagent.policy.leaving import may_not_leave, needs_last, soft_ends, verdict_alone
from inferagent.policy.lending import CODE as IN_USE
from inferagent.policy.proofs import (
    join_unproven,
    out_proven,
    past_deadline,
    proven_now,
    quiet,
    still_ill,
)

MOMENT = 0.5


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    check: Callable[[Proposal, Facts], str]


def _upward(proposal: Proposal) -> bool:
    """A join, or the write that enables."""
    return (isinstance(proposal, Push) and proposal.member) or _joins(proposal)


def _joins(proposal: Proposal) -> bool:
    return isinstance(proposal, Move) and proposal.to is Phase.JOINING


def observe(_proposal: Proposal, facts: Facts) -> str:
    return "the mode is observe" if facts.desired.mode is Mode.OBSERVE else ""


def s1_unknown_acts_not(proposal: Proposal, facts: Facts) -> str:
    """Nothing joins, starts or restarts on a missing or failed reading."""
    match proposal:
        case Move(to=Phase.JOINING):
            return _unknown_for_join(facts)
        case Restart(part=Part.ENGINE) | Start(part=Part.ENGINE) | Stop(part=Part.ENGINE):
            return "" if facts.unit else "the engine's unit cannot be read"
        case Restart(part=Part.CONNECTOR) | Start(part=Part.CONNECTOR) | Stop(part=Part.CONNECTOR):
            known_unit = isinstance(facts.observed.connector_unit, Value)
            return "" if known_unit else "the connector's unit cannot be read"
        case _:
            return ""


def _unknown_for_join(facts: Facts) -> str:
    if facts.unit is None or not facts.unit.alive:
        return "the engine is not known to run"
    if not known(facts.observed.engine.accepts):
        return "the engine's port is not known to accept"
    if not facts.replica and not known(facts.observed.connector.ready):
        return "the connector is not known to be connected"
    return not_looked_at(facts)


def s2_leave_by_kind(proposal: Proposal, facts: Facts) -> str:
    match proposal:
        case Move(to=Phase.DRAINING, cause=cause) if cause is not None:
            return may_not_leave(cause, facts)
        case Push(member=False):
            return verdict_alone(facts)
        case Stop(part=Part.ENGINE) if facts.desired.hold is not None and facts.desired.hold.lend:
            return needs_last(facts)  # of two that are lent at once each saw the other
        case _:
            return ""


def s3_repair_only_out(proposal: Proposal, facts: Facts) -> str:
    match proposal:
        case Restart(part=Part.ENGINE) | Stop(part=Part.ENGINE):
            return _engine_untouchable(isinstance(proposal, Restart), facts)
        case Restart(part=Part.CONNECTOR) | Stop(part=Part.CONNECTOR):
            return "" if facts.replica else _connector_untouchable(facts)
        case Start(part=Part.ENGINE) if not facts.engine_dead:
            return "the engine still has a process"
        case Move(to=Phase.JOINING):
            return _deed_under_way(facts)
        case _:
            return ""


def _deed_under_way(facts: Facts) -> str:
    """What made the repair needless in the meantime is about to be ended by it."""
    parts = [part.value for part in Part if facts.observed.job(part.value).running]
    return f"a deed at the {parts[0]} is still under way" if parts else ""


def _engine_untouchable(restart: bool, facts: Facts) -> str:
    if facts.saved.phase is not Phase.OUT:
        return "the host is not out"
    if facts.engine_dead:
        return ""
    if not proven_now(facts):
        return "no proof at this moment that the host is out"
    return still_ill(facts) if restart else ""


def _connector_untouchable(facts: Facts) -> str:
    if known(facts.observed.connector.ready) == 0:
        return ""
    settled = facts.saved.phase is Phase.OUT and out_proven(facts) and quiet(facts)
    return "" if settled else "the connector has connections, and the host is not out and quiet"


def s5_order(proposal: Proposal, facts: Facts) -> str:
    """The engine is stopped only after out and quiet, or the deadline."""
    if not isinstance(proposal, Stop) or proposal.part is Part.CONNECTOR:
        return ""
    still = out_proven(facts) and quiet(facts) and _just_looked(facts)
    done = facts.engine_dead or still or _hold_overdue(facts)
    return "" if done else "out is not proven and quiet yet"


def _just_looked(facts: Facts) -> bool:
    """Quiet by a look of this moment: a request may have come since an older one."""
    ways = (facts.observed.engine.load, facts.observed.engine.lan)
    return all(facts.now - way.at <= MOMENT for way in ways if isinstance(way, Value))


def _hold_overdue(facts: Facts) -> bool:
    """The operator's own deadline: that of an earlier drain says nothing about a later wish to stop."""
    since, hold, terms = facts.memory.held_since, facts.desired.hold, facts.terms
    if since is None or hold is None:
        return False
    bound = terms.deadline_operator if hold.deadline is None else hold.deadline
    return past_deadline(facts) and facts.now >= since + bound


def s6_sticky(proposal: Proposal, facts: Facts) -> str:
    """With a sticky fault on a GPU that the engine may use nothing joins, and no engine is started."""
    faults = of_engine(facts.saved, facts.terms.gpus)
    engine = isinstance(proposal, (Start, Restart)) and proposal.part is Part.ENGINE
    if not (engine or _upward(proposal)):
        return ""
    return faults[0].text if faults else unseen_since(facts.saved, facts.observed, facts.terms.gpus)


def s7_control_plane(proposal: Proposal, facts: Facts) -> str:
    """Writes keep their distance after failures; enabling needs a fresh reading to rest on."""
    match proposal:
        case Push(member=member):
            return budget.write_wait(facts, member)
        case Move(to=Phase.JOINING):
            return _leaving_under_way(facts) or _blind_join(facts)
        case _:
            return ""


def _leaving_under_way(facts: Facts) -> str:
    """A write that still waits for the API, or for its answer, would disable a host that has just joined."""
    write = facts.saved.last_write
    running = facts.observed.job("push").running and write is not None and not write.member
    return "the write that disables is still under way" if running else ""


def _blind_join(facts: Facts) -> str:
    """A join without a reading of the pool is allowed only where nothing needs to be written for it."""
    if facts.view is not None or facts.terms.membership is not MembershipKind.OWN_POOL:
        return ""
    write, baseline = facts.saved.last_write, facts.saved.baseline
    left = write is not None and not write.member and write.answered
    return "" if baseline and not left else "the pool cannot be read"


def s8_restart_budget(proposal: Proposal, facts: Facts) -> str:
    match proposal:
        case Start(part=Part.ENGINE) if first_start(facts):
            return budget.retry_wait(facts, "engine")
        case Restart(part=Part.ENGINE) | Start(part=Part.ENGINE):
            return budget.restart_wait(facts)
        case Restart(part=Part.CONNECTOR) | Start(part=Part.CONNECTOR):
            return budget.reconnect_wait(facts)
        case Stop(part=part):
            return budget.retry_wait(facts, part.value)
        case _:
            return ""


def first_start(facts: Facts) -> bool:
    """A start that repairs nothing: the first of this boot, or after we stopped the engine ourselves."""
    return facts.saved.stopped_engine or (facts.unit is not None and not facts.unit.exit)


def s9_joins(proposal: Proposal, facts: Facts) -> str:
    if not _joins(proposal):
        return ""
    starts = facts.replica and not facts.saved.resume_free  # its join is what starts the connector
    return budget.join_wait(facts) or (budget.reconnect_wait(facts) if starts else "")


def s11_proof(proposal: Proposal, facts: Facts) -> str:
    """A generation proves a join and each enabling write; no certain or inferred cause stands."""
    if not _upward(proposal):
        return ""
    ill = facts.ill
    return ill.text if ill else join_unproven(facts)


def s12_saved_first(proposal: Proposal, facts: Facts) -> str:
    """Where the state cannot be saved, only leaving and starting what is dead go on."""
    failed = isinstance(facts.observed.save, Failed) and facts.observed.save.at > float("-inf")
    deed = _upward(proposal) or isinstance(proposal, (Stop, Restart))
    replica_leaves = facts.replica and isinstance(proposal, Stop) and proposal.part is Part.CONNECTOR
    return "the state cannot be saved" if failed and deed and not replica_leaves else ""


def s13_hold(proposal: Proposal, facts: Facts) -> str:
    """While held nothing joins, starts or is repaired; nor, after lending, while others use the GPU."""
    if facts.desired.hold is not None:
        repair = isinstance(proposal, (Start, Restart))
        return "held by the operator" if repair or _upward(proposal) else ""
    used = next((cause.text for cause in facts.causes if cause.code == IN_USE), "")
    engine = isinstance(proposal, (Start, Restart)) and proposal.part is Part.ENGINE
    return used if engine or _upward(proposal) else ""


def s14_loan(proposal: Proposal, facts: Facts) -> str:
    return soft_ends(facts) if isinstance(proposal, Stay) else ""


def s15_one_identity(proposal: Proposal, facts: Facts) -> str:
    """Neither in, nor, while out, a word on what may be another machine's endpoint."""
    late = isinstance(proposal, Push) and facts.saved.phase is Phase.OUT
    return two_agents(facts) if late or _upward(proposal) else ""


def s16_other_hands(proposal: Proposal, facts: Facts) -> str:
    """No write before the first reading; another hand's word stands."""
    if isinstance(proposal, Push) and not facts.saved.adopted:
        return "the pool has not been read yet"
    held = facts.saved.other_hand and (_upward(proposal) or isinstance(proposal, (Start, Restart)))
    return "held by another hand" if held else ""


RULES: tuple[Rule, ...] = (
    Rule("observe", observe),
    Rule("S1", s1_unknown_acts_not),
    Rule("S2", s2_leave_by_kind),
    Rule("S3", s3_repair_only_out),
    Rule("S5", s5_order),
    Rule("S6", s6_sticky),
    Rule("S7", s7_control_plane),
    Rule("S8", s8_restart_budget),
    Rule("S9", s9_joins),
    Rule("S11", s11_proof),
    Rule("S12", s12_saved_first),
    Rule("S13", s13_hold),
    Rule("S14", s14_loan),
    Rule("S15", s15_one_identity),
    Rule("S16", s16_other_hands),
)
