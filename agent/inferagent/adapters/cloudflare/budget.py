"""How many calls this host may make: a bucket that refills over five minutes, half of it kept for leaving.

Cloudflare counts 1200 calls in 5 minutes per user, over all tokens and hosts together, and past that number
refuses every call for 5 minutes. So one host takes a small share, and a refusal is remembered.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from inferagent.ports import PortError

WINDOW_S = 300.0
SHARE = 60  # nineteen hosts of one user stay below 1200
BALANCER_READS = 5  # a minute apart, beside the readings of the pools


class Urgency(Enum):
    """The part of the share that a call leaves untouched: leaving goes first, a look last."""

    LEAVE = 0.0
    WRITE = 0.5
    READ = 0.6


def share_for(pace: float) -> int:
    """The calls in five minutes of a host that looks every `pace` seconds, and as many again for writes."""
    return max(SHARE, 2 * math.ceil(WINDOW_S / pace + BALANCER_READS))


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of the share at boot-clock second `at`; `blocked_until` 0 without a refusal."""

    left: float
    at: float
    blocked_until: float


class BudgetStore(Protocol):
    """Where the share outlives the agent."""

    def load(self) -> Left | None: ...
    def save(self, left: Left) -> None: ...


class Budget:
    """Times are boot-clock seconds, given by the caller."""

    def __init__(
        self, share: int = SHARE, window: float = WINDOW_S, store: BudgetStore | None = None
    ) -> None:
        self._share = float(share)
        self._window = window
        self._store = store
        found = store.load() if store else None
        self._left = min(found.left, self._share) if found else self._share
        self._at = found.at if found else None
        self._blocked_until = found.blocked_until if found else 0.0

    def take(self, now: float, urgency: Urgency) -> None:
        """Count one call; PortError with `retry_after` when it must not be made now."""
        wait = self.wait(now, urgency)
        if wait > 0:
            held = self.blocked_for(now) > 0
            why = "Cloudflare refuses every call of this user" if held else "the share of calls is used up"
            raise PortError(f"cannot call Cloudflare for {wait:.0f} s: {why}", retry_after=wait)
        self._left -= 1
        self._keep()

    def wait(self, now: float, urgency: Urgency) -> float:
        """Seconds until a call is allowed, 0 when it is allowed now."""
        self._refill(now)
        missing = self._share * urgency.value + 1 - self._left
        refill = max(0.0, missing) * self._window / self._share
        return max(refill, self.blocked_for(now))

    def block(self, now: float, retry_after: float | None) -> float:
        """Remember a 429; returns for how long. Never longer than the window, whatever the answer says."""
        length = self._window if retry_after is None else min(max(retry_after, 0.0), self._window)
        self._blocked_until = max(self._blocked_until, now + length)
        self._at = now if self._at is None else self._at
        self._keep()
        return length

    def blocked_for(self, now: float) -> float:
        return max(0.0, self._blocked_until - now)

    def _keep(self) -> None:
        if self._store is not None and self._at is not None:
            self._store.save(Left(self._left, self._at, self._blocked_until))

    def _refill(self, now: float) -> None:
        if self._at is not None:
            gained = max(0.0, now - self._at) * self._share / self._window
            self._left = min(self._share, self._left + gained)
        self._at = now
