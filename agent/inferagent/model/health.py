"""Health words, causes of leaving, and findings (one judged statement each)."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Health(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


WORSE = (Health.DEGRADED, Health.UNHEALTHY)  # what cannot be read is none of these


class Component(StrEnum):
    HOST = "host"
    GPU = "gpu"
    ENGINE = "engine"
    CONNECTOR = "connector"
    MEMBERSHIP = "membership"
    AGENT = "agent"
    CHECK = "check"  # one of the user's own


class CauseKind(IntEnum):
    """Why a host may leave, mildest first; the worst present sets the deadline of a drain."""

    SOFT = 1
    OPERATOR = 2
    INFERRED = 3
    CERTAIN = 4


class Repair(StrEnum):
    """What would cure a cause; NONE means that only time, a person or a reboot does."""

    NONE = "none"
    START_ENGINE = "start engine"
    RESTART_ENGINE = "restart engine"
    RESTART_CONNECTOR = "restart connector"
    REBOOT = "reboot"
    RESET_GPU = "reset GPU"


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged statement. `code` is stable and short ("engine-hung"); `text` is for a person."""

    code: str
    component: Component
    health: Health
    text: str
    since: float
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason to be out of the pool; present as long as the judge repeats it."""

    kind: CauseKind
    code: str
    text: str
    since: float
    repair: Repair = Repair.NONE
    component: Component = Component.ENGINE
    cure: str = ""
