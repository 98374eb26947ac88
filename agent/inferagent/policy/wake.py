"""What saved state means to an agent that has just started: the same boot goes on, a new boot begins out."""

from dataclasses import replace

from inferagent.model.saved import Drain, Memory, Saved


def wake(saved: Saved | None, now: float, boot: str) -> Saved:
    """The state to begin with (S10). Proofs are to be read again; times of another boot mean nothing."""
    if saved is None:
        return Saved(boot=boot, since=now, drain=Drain(now, now), proof_floor=0.0)
    if saved.boot == boot:
        drain = replace(saved.drain, proven_at=None, proof="") if saved.drain else None
        return replace(saved, drain=drain, memory=Memory())
    write = replace(saved.last_write, at=0.0) if saved.last_write else None
    return Saved(
        boot=boot,
        adopted=saved.adopted,
        since=now,
        cause=saved.cause,
        drain=Drain(now, now),
        hold_off_level=saved.hold_off_level,
        baseline=saved.baseline,
        last_write=write,
        other_hand=saved.other_hand,
        stopped_engine=saved.stopped_engine,
    )
