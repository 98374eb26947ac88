"""Display time of boot-clock seconds: each second keeps the text that it was first given."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST = 16


@dataclass(slots=True)
class Walls:
    """The wall clock is read in whole seconds, so that a text made anew at each tick would flicker."""

    _said: dict[float, str] = field(default_factory=dict)

    def at(self, second: float, now: float, wall: str) -> str:
        """ISO 8601 like `wall`, which is the display time of boot-clock second `now`; "" where it is none."""
        found = self._said.get(second)
        if found is None:
            try:
                moment = datetime.fromisoformat(wall) - timedelta(seconds=now - second)
            except (ValueError, OverflowError):
                return ""
            while len(self._said) >= MOST:
                del self._said[next(iter(self._said))]
            found = self._said[second] = moment.isoformat(timespec="seconds")
        return found
