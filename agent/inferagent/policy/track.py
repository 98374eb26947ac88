"""Keep the saved state true to what was seen: writes, other hands, adoption, `resume`, the waits of S2."""

from inferagent.model.change import changed
from inferagent.model.desired import Hold, Mode
from inferagent.model.health import CauseKind
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.reading import Value, known
from inferagent.model.saved import Saved
from inferagent.policy.facts import Facts
from inferagent.policy.judge_connector import two_agents
from inferagent.policy.leaving import majority_stays
from inferagent.policy.lending import track_lending

# A write that ended without an answer may still land for this long, and is then nobody else's.
LATE_WRITE = 900.0


def track(facts: Facts) -> Saved:
    """The saved state after this tick's readings; the phase is not touched, but at adoption."""
    saved = _resumed(facts, facts.saved)
    saved = _answered(facts, saved)
    saved = track_lending(facts, _started(facts, saved))
    if saved.adopted:
        saved = _membership(facts, saved)
    elif facts.desired.mode is Mode.ACT:
        saved = _adopt(facts, saved)
    saved = _floor(facts, saved)
    saved = _calm(facts, saved)
    return _waits(facts, saved)


def _resumed(facts: Facts, saved: Saved) -> Saved:
    """`resume` ends every hold and makes the present reading the baseline (S16)."""
    at = facts.desired.resumed_at
    if at is None or (saved.resumed_at is not None and at <= saved.resumed_at):
        return saved
    baseline = facts.own.enabled if facts.own else saved.baseline
    return changed(
        saved,
        resumed_at=at,
        other_hand=False,
        lent=saved.lent and saved.memory.hold is not None,  # said once more, it means: whoever is on the GPU
        resume_free=saved.phase in (Phase.OUT, Phase.DRAINING),  # said while inside it frees no later join
        baseline=baseline,
        hold_off_until=0.0,
    )


def _answered(facts: Facts, saved: Saved) -> Saved:
    write, job = saved.last_write, facts.observed.job("push")
    if write is None or write.answered or job.ended is None or job.ended < write.at or job.running:
        return saved
    if job.error:
        return changed(saved, unanswered_at=job.ended)
    return changed(saved, last_write=changed(write, answered=True))


def _started(facts: Facts, saved: Saved) -> Saved:
    """An engine that runs is no longer one that we stopped."""
    runs = facts.unit is not None and facts.unit.alive and not facts.observed.job("engine").running
    return changed(saved, stopped_engine=False) if saved.stopped_engine and runs else saved


def _membership(facts: Facts, saved: Saved) -> Saved:
    """Confirm our last write by a reading begun after it; see another hand (S16)."""
    own, write = facts.own, saved.last_write
    if own is None or (write is not None and facts.read_at <= write.at):
        return saved
    if saved.unanswered_at is not None and facts.now - saved.unanswered_at >= LATE_WRITE:
        saved = changed(saved, unanswered_at=None)
    if saved.other_hand:
        return changed(saved, other_hand=False, baseline=True) if own.enabled else saved
    if write is not None and not write.confirmed:
        if own.enabled != write.member:
            return saved
        return changed(saved, last_write=changed(write, confirmed=True), baseline=own.enabled)
    if _first_since_resume(facts, saved):
        return changed(saved, baseline=own.enabled)
    if own.enabled and saved.phase in (Phase.JOINING, Phase.SERVING):
        return changed(saved, baseline=True)
    flipped = saved.baseline and not own.enabled and saved.unanswered_at is None
    if flipped and _can_be_disabled(facts):
        return changed(saved, other_hand=True, baseline=False)
    return saved


def _first_since_resume(facts: Facts, saved: Saved) -> bool:
    """Whatever was done to the pool before `resume` is over, seen or not."""
    at, before = saved.resumed_at, saved.memory.pool_at
    return at is not None and before is not None and before <= at < facts.read_at


def _can_be_disabled(facts: Facts) -> bool:
    return facts.terms.membership is MembershipKind.OWN_POOL


def _adopt(facts: Facts, saved: Saved) -> Saved:
    """No saved state: the first membership reading is the baseline, and says whether we begin inside.

    A port that has not been looked at yet is unknown, and moves nobody outward (S1).
    """
    own, unit = facts.own, facts.unit
    if own is None or unit is None:
        return saved
    saved = changed(saved, adopted=True, baseline=own.enabled)
    accepts = facts.observed.engine.accepts
    refuses = isinstance(accepts, Value) and not accepts.value
    if own.effective and unit.alive and not refuses and not two_agents(facts):
        return changed(saved, phase=Phase.JOINING, since=facts.now, incarnation=unit.incarnation, drain=None)
    ours = facts.terms.made_by_setup or saved.unanswered_at is not None
    another = not own.enabled and not ours and _can_be_disabled(facts)
    return changed(saved, other_hand=another)


def _floor(facts: Facts, saved: Saved) -> Saved:
    """A join's proof must be newer than the last ill cause's begin and the last resume from sleep."""
    marks = [c.since for c in facts.causes if c.kind in (CauseKind.CERTAIN, CauseKind.INFERRED)]
    host = known(facts.observed.host)
    if host and host.resumed_at is not None and host.resumed_at <= facts.now:
        marks.append(host.resumed_at)
    return changed(saved, proof_floor=max([saved.proof_floor, *marks]))


def _calm(facts: Facts, saved: Saved) -> Saved:
    """An hour of serving resets the growing hold-off."""
    since = saved.serving_since
    if saved.phase is not Phase.SERVING or since is None or facts.now - since < facts.terms.hold_off_reset:
        return saved
    return changed(saved, hold_off_level=0)


def _waits(facts: Facts, saved: Saved) -> Saved:
    memory = saved.memory
    inferred = facts.worst(CauseKind.INFERRED) is not None
    kept = inferred and not majority_stays(facts)
    hold = facts.desired.hold
    said_anew = hold is not None and not same_word(hold, memory.hold)
    memory = changed(
        memory,
        hold=hold,
        held_since=facts.now if said_anew else memory.held_since,
        wait_since=_began(memory.wait_since, inferred and not kept, facts.now),
        kept_since=_began(memory.kept_since, kept, facts.now),
        pool_at=facts.read_at if facts.own else memory.pool_at,
    )
    return changed(saved, memory=memory)


def same_word(hold: Hold, before: Hold | None) -> bool:
    """The clocks may move its end; that is no new word."""
    return before is not None and changed(before, until=hold.until) == hold


def _began(since: float | None, stands: bool, now: float) -> float | None:
    if not stands:
        return None
    return now if since is None else since
