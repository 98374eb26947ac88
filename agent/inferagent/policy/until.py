"""When a hold ends by itself (pure): the boot clock rules within its boot, the wall clock after it.

A wall clock may be wrong by any amount, and be set right at any moment. A jump within the boot moves nothing,
and is written down for the boot that follows. A later boot trusts the wall clock only after a while, in which
it is usually set, and waits at most as long as was left: no jump ends a hold at once or makes it eternal.
"""

from datetime import datetime, timedelta

from inferagent.model.change import changed
from inferagent.model.desired import Until

PATIENCE = 120.0  # seconds after a boot in which a wall clock may still be wrong
JUMP = 60.0  # seconds; the two clocks part by less than this without anybody's doing


def ends_after(seconds: float, now: float, boot: str, wall: str) -> Until:
    """The end of a hold that begins now. `wall` is display time, ISO 8601."""
    return Until(boot, now + seconds, _later(wall, seconds), seconds)


def left(until: Until, now: float, boot: str, wall: str) -> float:
    """Seconds until the end, 0 when it is over."""
    if until.boot == boot:
        return max(0.0, until.at - now)
    known = _between(wall, until.wall)
    by_wall = until.longest if known is None else min(max(0.0, known), until.longest)
    return max(by_wall, PATIENCE - now)


def kept(until: Until, now: float, boot: str, wall: str) -> Until:
    """The same end as it should stand on disk: on this boot's clock, and on the wall clock as it goes now."""
    if until.boot != boot:
        if now < PATIENCE:
            return until
        return ends_after(left(until, now, boot, wall), now, boot, wall)
    remaining = left(until, now, boot, wall)
    apart = _between(wall, until.wall)
    if apart is None or abs(apart - remaining) <= JUMP:
        return until
    return changed(until, wall=_later(wall, remaining), longest=remaining)


def _between(wall: str, later: str) -> float | None:
    """Seconds from one to the other, None where either is no time."""
    try:
        return (datetime.fromisoformat(later) - datetime.fromisoformat(wall)).total_seconds()
    except (ValueError, TypeError):  # TypeError: one of them names no zone
        return None


def _later(wall: str, seconds: float) -> str:
    try:
        return (datetime.fromisoformat(wall) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""


def clock_time(moment: str, day: str) -> str:
    """ "18:30", and the date where it is not that of `day`."""
    return moment[11:16] if moment[:10] == day[:10] else f"{moment[:10]} {moment[11:16]}".strip()


def span(seconds: float) -> str:
    """ "2h 10m", "5m", "40s"; "3d 4h"."""
    whole = round(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days}d {hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    return f"{minutes}m" if minutes else f"{whole}s"
