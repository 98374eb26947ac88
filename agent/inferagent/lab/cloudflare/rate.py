"""The request limit: so many calls in a window for one user, over all of the user's tokens."""

from collections import deque
from collections.abc import Callable

from inferagent.lab.cloudflare.settings import Settings


class RateLimit:
    """Past the limit every call is refused for the whole block, however quiet the caller becomes."""

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._calls: dict[str, deque[float]] = {}
        self._blocked_until: dict[str, float] = {}

    def count(self, user: str) -> float:
        """Count one call. Returns the seconds that the user stays blocked; 0: not blocked."""
        now = self._now()
        left = self._blocked_until.get(user, 0.0) - now
        if left > 0:
            return left
        calls = self._calls.setdefault(user, deque())
        calls.append(now)
        while calls[0] <= now - self._settings.rate_window_s:
            calls.popleft()
        if len(calls) <= self._settings.rate_limit:
            return 0.0
        calls.clear()
        self._blocked_until[user] = now + self._settings.rate_block_s
        return self._settings.rate_block_s
