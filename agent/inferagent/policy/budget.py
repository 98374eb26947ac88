"""Budgets of restarts, joins, connector restarts and writes: how many, how far apart."""

from inferagent.policy.facts import Facts

HOUR = 3600.0
RESTART_DELAYS = (0.0, 30.0, 120.0, 300.0)
BLIND_HOLD_OFF = 240.0
ALONE_FREE_JOINS = 3
ALONE_SPACING = 60.0
RETRY_FIRST, RETRY_LAST = 5.0, 300.0
SHOWS_WITHIN = 5.0
SHOWS_SLOWLY = 60.0  # an enabling write that has not shown for so long is repeated only this often


def restarts(facts: Facts) -> list[float]:
    """Times of the engine's restarts in the last hour, ours and the supervisor's, oldest first.

    Those in vain while a foreign program had the port count no more once it is free.
    """
    own, taken = facts.unit.own_restarts if facts.unit else (), facts.memory.port_taken_at
    vain = taken if taken is not None and taken < facts.now else float("-inf")
    return sorted(at for at in (*facts.saved.restarts, *own) if facts.now - at < HOUR and at > vain)


def restarts_spent(facts: Facts) -> bool:
    return len(restarts(facts)) >= facts.terms.restarts_per_hour


def restart_wait(facts: Facts) -> str:
    """ "" or why the engine may not be restarted yet (S8)."""
    used = restarts(facts)
    if len(used) >= facts.terms.restarts_per_hour:
        left = used[-facts.terms.restarts_per_hour] + HOUR - facts.now
        return f"{len(used)} restarts in the last hour; the next try in {left / 60:.0f} min"
    delay = RESTART_DELAYS[min(len(used), len(RESTART_DELAYS) - 1)]
    if used and facts.now - used[-1] < delay:
        return f"waits {used[-1] + delay - facts.now:.0f} s after the last restart"
    return ""


def join_wait(facts: Facts) -> str:
    """ "" or why a join must wait (S9)."""
    saved = facts.saved
    if saved.resume_free:
        return ""
    joins = [at for at in saved.joins if facts.now - at < HOUR]
    if facts.alone:
        spaced = len(joins) < ALONE_FREE_JOINS or facts.now - joins[-1] >= ALONE_SPACING
        return "" if spaced else "joins of the only host are 60 s apart"
    until = saved.hold_off_until
    if facts.others_effective is None:
        began = saved.drain.left_at if saved.drain else saved.since
        until = min(until, began + BLIND_HOLD_OFF)
    elif len(joins) >= facts.terms.joins_per_hour:
        return f"{len(joins)} joins in the last hour"
    elif restarts_spent(facts) and 2 * facts.others_effective > len(facts.peers or ()):
        return f"{len(restarts(facts))} restarts in the last hour, and the others are enough"
    left = until - facts.now
    return f"held off for {left:.0f} s more" if left > 0 else ""


def _doubled(first: float, times: int) -> float:
    """Seconds of the n-th wait in a row, each twice the one before until they are long enough."""
    return first * 2.0 ** min(20, times - 1)


def hold_off(level: int, first: float) -> float:
    """Seconds of hold-off at the n-th cause in a row: 1, 2, 4 … 60 times `first`."""
    return min(60 * first, _doubled(first, max(1, level)))


def reconnect_wait(facts: Facts) -> str:
    """ "" or how long the connector's next restart waits: its own pace, outside the engine's budget."""
    done = facts.saved.connector_restarts
    if not done:
        return ""
    terms = facts.terms
    delay = min(terms.reconnect_last, _doubled(terms.reconnect_first, done))
    left = facts.saved.connector_restart_at + delay - facts.now
    return f"the connector's next restart in {left:.0f} s" if left > 0 else ""


def retry_wait(facts: Facts, slot: str) -> str:
    """ "" or how long a deed waits after its job has failed."""
    job = facts.observed.job(slot)
    if not job.failures or job.ended is None:
        return ""
    left = job.ended + min(RETRY_LAST, _doubled(RETRY_FIRST, job.failures)) - facts.now
    return f"tries again in {left:.0f} s" if left > 0 else ""


def write_wait(facts: Facts, member: bool) -> str:
    """ "" or how long the next write to the pool waits after failures; leaving retries sooner (S7)."""
    job = facts.observed.job("push")
    write = facts.saved.last_write
    if write is None or write.member is not member:
        return ""
    if write.answered and not write.confirmed:
        young = not member or facts.now - facts.saved.since < SHOWS_SLOWLY
        shows = SHOWS_WITHIN if young else SHOWS_SLOWLY
        left = write.at + shows - facts.now
        return f"gives the last write {left:.0f} s more to show" if left > 0 else ""
    if not job.failures or job.ended is None:
        return ""
    delay = min(60.0, _doubled(5.0, job.failures)) if member else min(15.0, _doubled(1.0, job.failures))
    left = job.ended + delay - facts.now
    return f"writes again in {left:.0f} s" if left > 0 else ""
