"""One change as a line of the event file: when, what, the root cause, and the numbers it was judged by."""

from dataclasses import dataclass, field
from enum import StrEnum


class EventKind(StrEnum):
    AGENT = "agent"  # it started
    PHASE = "phase"
    LABEL = "label"
    BEGINS = "cause begins"
    ENDS = "cause ends"
    ACTION = "action"  # a push, start, stop or restart was begun
    FAILED = "action failed"
    MEMBERSHIP = "membership"  # what is read of the pool changed
    FAULT = "fault"  # a sticky one, noted or cleared
    CHECK = "check"  # one of the user's own, where it is no cause, says something else
    HOLD = "hold"
    RESUME = "resume"
    WOULD = "would"  # observe mode: what mode act would have done


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was known at that moment; None and "" stand for unknown. Ages and times in seconds.

    `still`: nothing moved for so long although there was work. `generation`: the last one's outcome, begun
    `generation_age` ago. `exit`: how the engine's process ended. `edge`: the connector's connections.
    """

    still: float | None = None
    generation: str = ""
    generation_age: float | None = None
    in_flight: int | None = None
    accepts: bool | None = None
    exit: str = ""
    edge: int | None = None
    peers_effective: int | None = None
    peers: int | None = None
    pool_age: float | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """How long something stood that mode act would have answered by `deed` ("drain", "restart engine").

    "watch" is the time spent observing. `began` is a boot-clock second. An episode is noted when it begins,
    now and then while it is `open`, and at its end; its last line counts.
    """

    deed: str
    began: float
    seconds: float = 0.0
    open: bool = True


WATCH, DRAIN = "watch", "drain"
_PAST = {"watch": "watched", "drain": "drained", "start": "started the", "restart": "restarted the"}


def past(deed: str) -> str:
    """ "restarted the engine" for "restart engine"."""
    verb, _, part = deed.partition(" ")
    return f"{_PAST.get(verb, verb)} {part}".strip()


@dataclass(frozen=True, slots=True)
class Event:
    """`wall` is display time (ISO 8601 with zone); `at` the second on the clock of boot `boot`.

    `cause` and `why` are the root cause's code and text. `unsaid` counts events like this one that came too
    often to be written since the last that was.
    """

    wall: str
    boot: str
    at: float
    kind: EventKind
    text: str
    phase: str = ""
    label: str = ""
    cause: str = ""
    why: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    episode: Episode | None = None
    unsaid: int = 0
