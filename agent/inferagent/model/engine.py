"""What is known of the engine: one look at it, and the outcome of a real generation."""

from dataclasses import dataclass
from enum import StrEnum

from inferagent.model.reading import NEVER, Reading


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that the engine itself counts (vLLM)."""

    running: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Numbers that move while an engine works: counters, bytes on its sockets, CPU seconds of its runner.

    Two looks with an equal `signature` mean that nothing moved between them. What cannot be read is left out.
    """

    signature: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Warmup:
    """How far a starting engine is: bytes and CPU seconds of all its processes.

    `loaded`: bytes that whoever loads the model has read, as far as that can be told; `total`: bytes of the
    model's weights, 0 if unknown. These two are only shown, never judged.
    """

    read_bytes: int
    memory_bytes: int
    cpu_seconds: float
    total: int = 0
    loaded: int = 0


@dataclass(frozen=True, slots=True)
class EngineLook:
    """One status probe. `accepts` is False when the port refuses: evidence, not unknown.

    `lan` counts the foreign sockets at the engine's port that await an answer and do not come from the
    connector; n/a where the engine counts its own requests. `refuses`: the Host header of the users' requests
    where it answers that with 403, else "".
    """

    accepts: Reading[bool] = NEVER
    models: Reading[frozenset[str]] = NEVER
    progress: Reading[Progress] = NEVER
    load: Reading[Load] = NEVER
    lan: Reading[int] = NEVER
    warmup: Reading[Warmup] = NEVER
    degraded: str = ""
    refuses: str = ""


@dataclass(frozen=True, slots=True)
class Occupant:
    """A foreign program that listens at the engine's port; `name` is "" where it cannot be told."""

    port: int
    uid: int
    name: str = ""


class Outcome(StrEnum):
    OK = "ok"
    WRONG = "wrong"  # answered, but not with tokens: 404, 500, garbage, a refused connection
    BUSY = "busy"  # 503: saturated, which is health
    UNANSWERED = "unanswered"  # taken, and silent past its deadline


@dataclass(frozen=True, slots=True)
class Generation:
    """One short generation for every public model name, on the path that users call.

    `begun` and `ended` are boot-clock seconds; `incarnation` is the engine life that was asked.
    """

    outcome: Outcome
    begun: float
    ended: float
    detail: str = ""
    incarnation: str = ""
