"""The user's own checks: what one may cause, what a run of it said, and what is known of it."""

from dataclasses import dataclass
from enum import StrEnum

from inferagent.model.health import Health
from inferagent.model.reading import NEVER, Reading, Value


class Effect(StrEnum):
    TELL = "tell"  # a finding and nothing else
    DEGRADE = "degrade"  # a soft cause
    DRAIN = "drain"  # a certain cause where it says unhealthy, a soft one where it says degraded


@dataclass(frozen=True, slots=True)
class Check:
    """What the policy knows of a check. `command` is how a person would run it."""

    name: str
    effect: Effect = Effect.TELL
    command: str = ""

    @property
    def code(self) -> str:
        """Of its findings and causes."""
        return f"check:{self.name}"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One run that could tell: never Health.UNKNOWN. `text` is the program's own, one printable line."""

    health: Health
    text: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class CheckView:
    """The latest reading, and the last one that could tell, however old."""

    reading: Reading[CheckResult] = NEVER
    last: Value[CheckResult] | None = None
