"""One decision: a pure function of what is observed, desired and saved."""

from collections.abc import Sequence

from inferagent.model.action import Action, Move, Proposal, Push, Restart, Start, Stay, Stop, describe
from inferagent.model.change import changed
from inferagent.model.decision import Decision, Veto
from inferagent.model.desired import Desired, Mode
from inferagent.model.health import CauseKind, Repair
from inferagent.model.observed import Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import Value, known
from inferagent.model.saved import Saved, Write
from inferagent.model.unit import Part
from inferagent.policy import budget
from inferagent.policy.facts import Facts
from inferagent.policy.flight import in_flight
from inferagent.policy.goals import wanted
from inferagent.policy.judge import judge
from inferagent.policy.labels import label
from inferagent.policy.narrate import narrate
from inferagent.policy.pace import pace
from inferagent.policy.phases import propose, standing, step, tighten
from inferagent.policy.proofs import prove
from inferagent.policy.rules import RULES, Rule, first_start
from inferagent.policy.track import track


def decide(observed: Observed, desired: Desired, saved: Saved, rules: Sequence[Rule] = RULES) -> Decision:
    """Judge, move, want, and let the rules stop what must not be; microseconds, no I/O, no clock."""
    facts = judge(observed, desired, saved)
    facts = facts.keeping(track(facts))
    facts = facts.keeping(tighten(facts, prove(facts, facts.saved)))
    facts = changed(facts, called_back=_called_back(facts, rules))
    facts, vetoes = _move(facts, rules)
    if desired.mode is Mode.OBSERVE:
        facts = facts.keeping(_mirror(facts))
    actions: list[Action] = []
    for action in wanted(facts):
        stopped = _stopped(action, facts, rules)
        vetoes.extend(stopped)
        if not stopped:
            actions.append(action)
    facts = facts.keeping(_booked(facts, actions))
    return _decision(facts, actions, tuple(vetoes), rules)


def _called_back(facts: Facts, rules: Sequence[Rule]) -> bool:
    """A soft absence is proposed anew at each tick; observing forbids deeds, not staying."""
    soft = any(cause.kind is CauseKind.SOFT for cause in facts.causes)
    return soft and any(rule.check(Stay(), facts) for rule in rules if rule.name != "observe")


def _stopped(proposal: Proposal, facts: Facts, rules: Sequence[Rule]) -> list[Veto]:
    said = ((rule.name, rule.check(proposal, facts)) for rule in rules)
    return [Veto(name, describe(proposal), why) for name, why in said if why]


def _move(facts: Facts, rules: Sequence[Rule]) -> tuple[Facts, list[Veto]]:
    """Take the first proposed move that no rule stops; one move a tick."""
    vetoes: list[Veto] = []
    for move in propose(facts):
        stopped = _stopped(move, facts, rules)
        if not stopped:
            return facts.keeping(step(facts, move)), vetoes
        vetoes.extend(stopped)
    return facts, vetoes


def _mirror(facts: Facts) -> Saved:
    """Observe mode: the phase follows the readings, no arrow is taken."""
    serving = facts.own.effective if facts.own else facts.saved.phase is Phase.SERVING
    life = facts.incarnation if facts.unit else facts.saved.incarnation
    phase = Phase.SERVING if serving else Phase.OUT
    since = facts.saved.since if phase is facts.saved.phase else facts.now
    # not adopted: the first tick in mode act begins with what it finds
    return changed(facts.saved, phase=phase, since=since, incarnation=life, adopted=False, other_hand=False)


def _accepting(facts: Facts) -> bool:
    """The engine's port accepts; while that is unknown, as last seen of this life."""
    accepts = facts.observed.engine.accepts
    return accepts.value if isinstance(accepts, Value) else facts.memory.accepts


def _booked(facts: Facts, actions: Sequence[Action]) -> Saved:
    """Write down what is about to be done, so that budgets survive the agent."""
    saved, now = facts.saved, facts.now
    for action in actions:
        match action:
            case Push(member=member):
                saved = _booked_write(saved, member, now)
            case Restart(part=Part.ENGINE):
                saved = changed(saved, restarts=_restarts(facts), stopped_engine=False)
            case Start(part=Part.ENGINE):
                counted = saved.restarts if first_start(facts) else _restarts(facts)
                saved = changed(saved, restarts=counted, stopped_engine=False)
            case Stop(part=Part.ENGINE):
                saved = changed(saved, stopped_engine=True)
            case Restart(part=Part.CONNECTOR) | Start(part=Part.CONNECTOR):
                done = saved.connector_restarts + 1
                saved = changed(saved, connector_restarts=done, connector_restart_at=now)
            case Stop(part=Part.CONNECTOR):
                pass
    ill = any(cause.repair is Repair.RESTART_CONNECTOR for cause in facts.causes)
    if saved.connector_restarts and not ill and known(facts.observed.connector.ready):
        saved = changed(saved, connector_restarts=0)
    return saved


def _booked_write(saved: Saved, member: bool, now: float) -> Saved:
    """A write that no reading has shown when the next one goes out may still land after it (S16)."""
    before = saved.last_write
    if before is not None and not before.confirmed and before.member is not member:
        saved = changed(saved, unanswered_at=now)
    return changed(saved, last_write=Write(member, now))


def _restarts(facts: Facts) -> tuple[float, ...]:
    kept = (at for at in facts.saved.restarts if facts.now - at < budget.HOUR)
    return (*kept, facts.now)


def _decision(
    facts: Facts, actions: list[Action], vetoes: tuple[Veto, ...], rules: Sequence[Rule]
) -> Decision:
    phase = facts.saved.phase
    here: Label | None = label(facts)
    observing = facts.desired.mode is Mode.OBSERVE
    verdict = phase in (Phase.JOINING, Phase.SERVING)
    return Decision(
        phase=phase,
        label=here,
        verdict=_accepting(facts) if observing else verdict,
        saved=facts.saved,
        findings=facts.findings,
        causes=facts.causes,
        actions=tuple(actions),
        vetoes=vetoes,
        pace=pace(facts, _join_open(facts, rules)),
        sentence=narrate(facts, here, vetoes),
        in_flight=in_flight(facts.observed),
    )


def _join_open(facts: Facts, rules: Sequence[Rule]) -> bool:
    """Whether only the proof by a generation is missing for a join."""
    if standing(facts) or facts.saved.phase not in (Phase.OUT, Phase.DRAINING):
        return False
    join = Move(Phase.JOINING)
    return not any(rule.check(join, facts) for rule in rules if rule.name != "S11")
