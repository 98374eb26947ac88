"""Goal minus observation: the actions that would bring the world to what the phase wants."""

from inferagent.model.action import Action, Push, Restart, Start, Stop
from inferagent.model.health import Repair
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.reading import NEVER, known
from inferagent.model.unit import Part, UnitState
from inferagent.policy.facts import Facts
from inferagent.policy.phases import standing

STARTABLE = (UnitState.STOPPED, UnitState.FAILED)


def wanted(facts: Facts) -> tuple[Action, ...]:
    """Level-triggered: nothing is remembered as "already done" but a write that no reading has shown yet."""
    candidates = (_push(facts), _engine(facts), _connector(facts))
    return tuple(action for action in candidates if action is not None and not _under_way(facts, action))


def _under_way(facts: Facts, action: Action) -> bool:
    if isinstance(action, Push):
        write = facts.saved.last_write
        return facts.observed.job("push").running and write is not None and write.member == action.member
    return facts.observed.job(action.part.value).running


def inside(facts: Facts) -> bool:
    return facts.saved.phase in (Phase.JOINING, Phase.SERVING)


def _push(facts: Facts) -> Push | None:
    if facts.terms.membership is not MembershipKind.OWN_POOL:
        return None
    own, write = facts.own, facts.saved.last_write
    newer = own is not None and (write is None or facts.read_at > write.at)
    if inside(facts):
        disabled = own is not None and newer and not own.enabled
        return Push(True, "joining") if disabled else None
    if own is not None and newer:
        return Push(False, _why_out(facts)) if own.enabled else None
    if facts.saved.phase is Phase.OUT and facts.observed.membership.at == NEVER.at:
        return None  # just woken: the first reading says whether there is anything to leave
    return Push(False, "leaving") if _leave_unsaid(facts) else None


def _why_out(facts: Facts) -> str:
    """Another hand's word is told with the write that takes it back: it is no finding any more then (S16)."""
    hands = (one.text for one in facts.findings if one.code == "enabled-by-another")
    return next(hands, facts.saved.cause.text if facts.saved.cause else "out")


def _leave_unsaid(facts: Facts) -> bool:
    """No reading tells whether we are out: write, unless our last word was an answered or read "out"."""
    write, drain = facts.saved.last_write, facts.saved.drain
    if write is None:
        return facts.saved.baseline is not False
    if write.member:
        return True
    since_leaving = write.at >= drain.left_at if drain else True
    return not (write.confirmed or (write.answered and since_leaving))


def _engine(facts: Facts) -> Action | None:
    hold, unit = facts.desired.hold, facts.unit
    if unit is None or facts.desired.going_until is not None:
        return None
    if (hold is not None and hold.stop_engine) or _idles(facts):
        return Stop(Part.ENGINE, "drained") if unit.alive and facts.saved.phase is Phase.OUT else None
    repairs = {cause.repair: cause for cause in reversed(facts.causes)}
    start, restart = repairs.get(Repair.START_ENGINE), repairs.get(Repair.RESTART_ENGINE)
    if start is not None and facts.engine_dead:
        return Start(Part.ENGINE, start.text)
    cause = start or restart  # what an earlier life left running is ended by a restart
    return Restart(Part.ENGINE, cause.text) if cause is not None and facts.saved.phase is Phase.OUT else None


def _idles(facts: Facts) -> bool:
    """Parked and nothing else: an engine that is ill or held for another reason is not stopped for idling."""
    causes = [cause for cause in standing(facts) if cause.code != "engine-stopped"]
    return facts.terms.stop_when_parked and bool(causes) and all(c.code == "parked" for c in causes)


def _connector(facts: Facts) -> Action | None:
    unit = known(facts.observed.connector_unit)
    if unit is None or unit.stopped_by_person:
        return None
    if facts.replica and not inside(facts):
        return Stop(Part.CONNECTOR, "leaving") if unit.alive else None
    if facts.desired.going_until is not None:
        own = not facts.terms.connector_unit  # a unit is systemd's to stop, after the drain
        down = own and unit.alive and facts.saved.phase is Phase.OUT
        return Stop(Part.CONNECTOR, "the host goes down") if down else None
    if unit.state in STARTABLE and not unit.alive:
        return Start(Part.CONNECTOR, "the connector is not running")
    causes = [cause for cause in facts.causes if cause.repair is Repair.RESTART_CONNECTOR]
    if causes and unit.alive and facts.saved.phase is Phase.OUT:
        return Restart(Part.CONNECTOR, causes[0].text)
    return None
