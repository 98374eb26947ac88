"""What can be made to go wrong at run time: which calls it hits, how often or how long, and what it does."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Kind = Literal["latency", "hang", "reset", "status", "garbage", "late", "stale"]
BROKEN_JSON = '{"success": true, "errors": [], "result": {"id": "'


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"cannot read the pattern: {error}") from None
    return text


class Fault(BaseModel):
    """One fault, as POST /lab/faults takes it.

    latency: answers `seconds` later, applies just before answering · hang: never answers, applies
    nothing · reset: the connection is torn down · status: answers `status`, with `retry_after` seconds if
    given · garbage: 200 with `body`
    (half a JSON document by default) · late: a write is applied `seconds` later; the answer is then
    (`answer` "late"), never ("hang"), or at once a 504 ("504") · stale: reads see the state of
    `seconds` ago. `path` is searched in the path after /client/v4, `token` is a token's id.
    Without `count` and `duration_s` it lasts until it is removed.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Kind
    method: str | None = None
    path: Annotated[str, AfterValidator(_pattern)] = ""
    token: str | None = None
    writes_only: bool = False
    count: Annotated[int, Field(ge=1)] | None = None
    duration_s: Annotated[float, Field(gt=0)] | None = None
    seconds: float = Field(default=1.0, ge=0)
    status: int = Field(default=503, ge=400, le=599)
    retry_after: Annotated[int, Field(ge=0)] | None = None
    body: str | None = None
    answer: Literal["late", "hang", "504"] = "late"

    def hits(self, method: str, path: str, token: str | None) -> bool:
        return (
            self.method in (None, method)
            and self.token in (None, token)
            and not (method == "GET" and (self.writes_only or self.kind == "late"))
            and not (method != "GET" and self.kind == "stale")
            and re.search(self.path, path) is not None
        )


@dataclass(slots=True)
class _Active:
    fault: Fault
    left: int | None
    until: float | None


class Faults:
    """The faults in force, oldest first."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ids = itertools.count(1)
        self._active: dict[str, _Active] = {}

    def add(self, fault: Fault) -> str:
        """Put it in force; returns its id."""
        key = str(next(self._ids))
        until = None if fault.duration_s is None else self._now() + fault.duration_s
        self._active[key] = _Active(fault, fault.count, until)
        return key

    def remove(self, key: str) -> bool:
        return self._active.pop(key, None) is not None

    def clear(self) -> None:
        self._active.clear()

    def in_force(self) -> dict[str, Fault]:
        self._forget_ended()
        return {key: active.fault for key, active in self._active.items()}

    def take(self, method: str, path: str, token: str | None) -> list[Fault]:
        """The faults that hit this call, each counted down."""
        self._forget_ended()
        hit = [active for active in self._active.values() if active.fault.hits(method, path, token)]
        for active in hit:
            if active.left is not None:
                active.left -= 1
        return [active.fault for active in hit]

    def _forget_ended(self) -> None:
        now = self._now()
        for key, active in list(self._active.items()):
            if active.left == 0 or (active.until is not None and active.until <= now):
                del self._active[key]


def first(faults: list[Fault], kind: Kind) -> Fault | None:
    return next((fault for fault in faults if fault.kind == kind), None)
