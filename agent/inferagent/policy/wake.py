"""What saved state means to an agent that has just started: the same boot goes on, a new boot begins out."""

from dataclasses import replace

from inferagent.model.phase import Phase
from inferagent.model.saved import Drain, Memory, Saved
from inferagent.policy.budget import hold_off


def wake(saved: Saved | None, now: float, boot: str, told: bool | None = None, first: float = 60.0) -> Saved:
    """The state to begin with (S10). Proofs are to be read again; times of another boot mean nothing.

    `told`: the verdict of this boot, None where there is none. `first`: seconds of the first hold-off.
    """
    if saved is None:
        return Saved(boot=boot, since=now, drain=Drain(now, now))
    if saved.boot != boot:
        return _after_boot(saved, now, boot, first)
    if not saved.adopted:  # it only observed, or saw too little: what it noted of phases binds nobody
        return replace(saved, phase=Phase.OUT, since=now, cause=None, drain=Drain(now, now), memory=Memory())
    drain = replace(saved.drain, proven_at=None, proof="") if saved.drain else None
    write = saved.last_write
    cut = write is not None and not write.answered and not write.confirmed  # may still land
    saved = replace(saved, drain=drain, memory=Memory(), unanswered_at=now if cut else saved.unanswered_at)
    inside = saved.phase in (Phase.JOINING, Phase.SERVING)
    return _leaving(saved, now) if inside and told is False else saved


def of_pool(saved: Saved | None, pool: str) -> Saved | None:
    """Where setup has made the host another pool, that one is adopted as it is found: what was noted of the
    former says nothing of it, and no other hand disabled what is new (S16)."""
    if saved is None or not saved.pool or saved.pool == pool:
        return saved
    return replace(saved, adopted=False, baseline=None, last_write=None, other_hand=False, unanswered_at=None)


def _leaving(saved: Saved, now: float) -> Saved:
    """The verdict is told before the state is saved: that agent was killed in between, its write may land."""
    drain = Drain(now, None)
    return replace(saved, phase=Phase.DRAINING, since=now, drain=drain, serving_since=None, unanswered_at=now)


def _after_boot(saved: Saved, now: float, boot: str, first: float) -> Saved:
    """A write that no reading has shown may still land, and is then nobody else's."""
    write = saved.last_write
    inside = saved.phase in (Phase.JOINING, Phase.SERVING)  # nobody took it out: that boot ended in a fall
    level = saved.hold_off_level + inside
    late = saved.unanswered_at is not None or (write is not None and not write.confirmed)
    return Saved(
        boot=boot,
        adopted=saved.adopted,
        since=now,
        cause=saved.cause,
        drain=Drain(now, now),
        hold_off_level=level,
        hold_off_until=now + hold_off(level, first) if inside else 0.0,
        baseline=saved.baseline,
        last_write=replace(write, at=0.0) if write else None,
        other_hand=saved.other_hand,
        unanswered_at=now if late else None,
        stopped_engine=saved.stopped_engine,
        residents=saved.residents,
        lent=saved.lent,
        faults=tuple(fault for fault in saved.faults if fault.boot == boot),  # of an older state, kept apart
        cleared=tuple(cleared for cleared in saved.cleared if cleared.boot == boot),
    )
