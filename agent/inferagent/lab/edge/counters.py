"""What went through the edge, by pool, status and cause."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

DIRECT = "direct"


@dataclass(slots=True)
class Counters:
    """`requests` by pool id, or "direct" for a host's own hostname; `last`: the wall time of the latest.

    `causes`: what the edge itself had to answer or cut, 1001, 1016, 1033, 502, 524, cut, client_abort,
    retried.
    """

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    last: dict[str, float] = field(default_factory=dict)
    open: Counter[str] = field(default_factory=Counter)
    probes: Counter[str] = field(default_factory=Counter)
    probes_failed: Counter[str] = field(default_factory=Counter)
    registered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {each.name: dict(getattr(self, each.name)) for each in fields(self)}
