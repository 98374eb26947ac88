"""What saved state means to an agent that has just started: the same boot goes on, a new boot begins out."""

from dataclasses import replace

from inferagent.model.phase import Phase
from inferagent.model.saved import Drain, Memory, Saved


def wake(saved: Saved | None, now: float, boot: str) -> Saved:
    """The state to begin with (S10). Proofs are to be read again; times of another boot mean nothing."""
    if saved is None:
        return Saved(boot=boot, since=now, drain=Drain(now, now))
    if saved.boot != boot:
        return _after_boot(saved, now, boot)
    if not saved.adopted:  # it only observed, or saw too little: what it noted of phases binds nobody
        return replace(saved, phase=Phase.OUT, since=now, cause=None, drain=Drain(now, now), memory=Memory())
    drain = replace(saved.drain, proven_at=None, proof="") if saved.drain else None
    return replace(saved, drain=drain, memory=Memory())


def _after_boot(saved: Saved, now: float, boot: str) -> Saved:
    """A write that no reading has shown may still land, and is then nobody else's."""
    write = saved.last_write
    late = saved.unanswered_at is not None or (write is not None and not write.confirmed)
    return Saved(
        boot=boot,
        adopted=saved.adopted,
        since=now,
        cause=saved.cause,
        drain=Drain(now, now),
        hold_off_level=saved.hold_off_level,
        baseline=saved.baseline,
        last_write=replace(write, at=0.0) if write else None,
        other_hand=saved.other_hand,
        unanswered_at=now if late else None,
        stopped_engine=saved.stopped_engine,
    )
