"""Verdicts on endpoints: consecutive counts in each data centre, then the majority of data centres."""

from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What one probe of one endpoint came back with. `rtt` in seconds."""

    ok: bool
    rtt: float = 0.0
    reason: str = ""
    code: int = 0


@dataclass(slots=True)
class _Seen:
    good: int = 0
    bad: int = 0
    verdict: bool | None = None
    last: Look = field(default_factory=lambda: Look(ok=False))


class Health:
    """By pool, endpoint address and data centre. What nobody looked at is unknown, and unknown is down."""

    def __init__(self, data_centres: tuple[str, ...]) -> None:
        self._centres = data_centres
        self._seen: dict[tuple[str, str], dict[str, _Seen]] = {}

    def record(
        self, pool: str, address: str, centre: str, look: Look, *, up_after: int, down_after: int
    ) -> None:
        seen = self._seen.setdefault((pool, address), {}).setdefault(centre, _Seen())
        seen.last = look
        seen.good, seen.bad = (seen.good + 1, 0) if look.ok else (0, seen.bad + 1)
        if seen.good >= max(1, up_after):
            seen.verdict = True
        elif seen.bad >= max(1, down_after):
            seen.verdict = False

    def verdict(self, pool: str, address: str) -> bool | None:
        seen = self._seen.get((pool, address), {})
        half = len(self._centres) / 2
        if sum(s.verdict is True for s in seen.values()) > half:
            return True
        if sum(s.verdict is False for s in seen.values()) >= half:
            return False
        return None

    def is_up(self, pool: str, address: str) -> bool:
        return self.verdict(pool, address) is True

    def forget(self, pool: str, keep: frozenset[str] = frozenset()) -> None:
        """Everything about a pool becomes unknown, but for the addresses to keep."""
        for key in [key for key in self._seen if key[0] == pool and key[1] not in keep]:
            del self._seen[key]

    def detail(self, pool: str) -> Object:
        """By endpoint address, as the account's API shows it."""
        shown = {}
        for (owner, address), seen in self._seen.items():
            if owner == pool:
                last = next(iter(seen.values())).last
                shown[address] = {
                    "healthy": self.is_up(pool, address),
                    "rtt": f"{last.rtt * 1000:.1f}ms",
                    "failure_reason": last.reason or "No failures",
                    "response_code": last.code,
                }
        return shown
