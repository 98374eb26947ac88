"""What may be asked of a running agent over its control sockets, and the checking of each request.

No sockets here: `handle` turns one request into one answer (a status number and a JSON object, or text).
A new path is one line of `ROUTES` and one method of `Desk`.
"""

import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Protocol, TypeAlias

from inferagent.model.fault_sheet import FaultSheet
from inferagent.model.status import Status
from inferagent.ports import PortError

API = 1
LONGEST_REASON = 200  # characters
LONGEST_DEADLINE = 86400.0  # seconds
SHORTEST_HOLD, LONGEST_HOLD = 1.0, 366 * 86400.0  # seconds

Reply: TypeAlias = tuple[int, dict[str, object] | str]
Fields: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class DrainRequest:
    """`deadline` in seconds, None: the configured one. `last`: leave even as the last effective endpoint.
    `lasts`: seconds after which the hold ends by itself, None: at `resume` only."""

    reason: str = ""
    stop_engine: bool = False
    last: bool = False
    deadline: float | None = None
    lasts: float | None = None


@dataclass(frozen=True, slots=True)
class LendRequest:
    """As a drain that stops the engine, for `lasts` seconds."""

    lasts: float
    reason: str = ""
    last: bool = False
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`message` says what happened or why not; `cure` is what to do then."""

    ok: bool
    message: str
    cure: str = ""


class Desk(Protocol):
    """The running agent, as its control sockets see it. What is no coroutine answers at once."""

    def status(self) -> Status | None: ...
    def metrics(self) -> str: ...
    def drain(self, request: DrainRequest) -> Answer: ...
    def lend(self, request: LendRequest) -> Answer: ...
    def resume(self) -> Answer: ...
    def going(self, seconds: float) -> Answer: ...
    def faults(self) -> FaultSheet: ...
    def clear_fault(self, gpu: str) -> Answer: ...
    async def reload(self) -> Answer: ...
    async def notify_test(self) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Door:
    """By which socket a request came in. `cure`: what a reader does who wants to act."""

    acting: bool
    cure: str = ""


OPERATOR = Door(acting=True)


@dataclass(frozen=True, slots=True)
class Route:
    """`acting`: only by operator.sock."""

    method: str
    acting: bool
    answer: Callable[[Desk, bytes], Awaitable[Reply]]


class BadRequestError(Exception):
    """The request cannot be understood; the text goes back to its sender."""


async def handle(desk: Desk, method: str, target: str, body: bytes, door: Door = OPERATOR) -> Reply:
    """The answer to one request. Never raises for what a client sent, nor for a PortError of the desk."""
    path = target.partition("?")[0]
    route = ROUTES.get(path)
    if route is None:
        return refusal(404, f"cannot find {path[:80]}", f"the paths are {', '.join(ROUTES)}")
    if method != route.method:
        return refusal(405, f"cannot {method[:20]} {path}", f"use {route.method}")
    if route.acting and not door.acting:
        return refusal(403, f"cannot {path.removeprefix('/v1/')}: this socket is for reading", door.cure)
    try:
        return await route.answer(desk, body)
    except BadRequestError as error:
        return refusal(400, str(error))
    except PortError as error:
        return refusal(500, str(error))


def refusal(code: int, message: str, cure: str = "") -> Reply:
    return code, {"api": API, "ok": False, "message": message, "cure": cure}


async def _status(desk: Desk, _body: bytes) -> Reply:
    status = desk.status()
    if status is None:
        return refusal(503, "cannot tell yet: the agent has just started", "inferagent status")
    return 200, {"api": API, **_finite(asdict(status))}


async def _metrics(desk: Desk, _body: bytes) -> Reply:
    return 200, desk.metrics()


async def _drain(desk: Desk, body: bytes) -> Reply:
    return _said(desk.drain(drain_request(_fields(body))))


async def _lend(desk: Desk, body: bytes) -> Reply:
    return _said(desk.lend(lend_request(_fields(body))))


async def _resume(desk: Desk, body: bytes) -> Reply:
    _no_fields(_fields(body))
    return _said(desk.resume())


async def _faults(desk: Desk, _body: bytes) -> Reply:
    return 200, {"api": API, **_finite(asdict(desk.faults()))}


async def _going(desk: Desk, body: bytes) -> Reply:
    fields = _fields(body)
    seconds = _seconds("seconds", fields.pop("seconds", None), 0.0, LONGEST_DEADLINE)
    _no_fields(fields)
    if seconds is None:
        raise BadRequestError("cannot go without a time: seconds is missing")
    return _said(desk.going(seconds))


async def _clear_fault(desk: Desk, body: bytes) -> Reply:
    fields = _fields(body)
    gpu = _line("gpu", fields.pop("gpu", ""))
    every = _flag("all", fields.pop("all", False))
    _no_fields(fields)
    if bool(gpu) is every:  # nobody is to say "all" by saying nothing
        raise BadRequestError('cannot clear: name one GPU ("gpu": "0"), or say "all": true')
    return _said(desk.clear_fault(gpu))


async def _reload(desk: Desk, body: bytes) -> Reply:
    _no_fields(_fields(body))
    return _said(await desk.reload())


async def _notify_test(desk: Desk, body: bytes) -> Reply:
    _no_fields(_fields(body))
    return _said(await desk.notify_test())


ROUTES: dict[str, Route] = {
    "/v1/status": Route("GET", False, _status),
    "/v1/metrics": Route("GET", False, _metrics),
    "/metrics": Route("GET", False, _metrics),  # where Prometheus looks, if nothing else is said
    "/v1/drain": Route("POST", True, _drain),
    "/v1/lend": Route("POST", True, _lend),
    "/v1/resume": Route("POST", True, _resume),
    "/v1/going": Route("POST", True, _going),
    "/v1/reload": Route("POST", True, _reload),
    "/v1/faults": Route("GET", False, _faults),
    "/v1/fault/clear": Route("POST", True, _clear_fault),
    "/v1/notify/test": Route("POST", True, _notify_test),
}


def drain_request(fields: Fields) -> DrainRequest:
    """The checked request; BadRequestError for an unknown field or a wrong value."""
    request = DrainRequest(
        reason=_line("reason", fields.pop("reason", "")),
        stop_engine=_flag("stop_engine", fields.pop("stop_engine", False)),
        last=_flag("last", fields.pop("last", False)),
        deadline=_seconds("deadline", fields.pop("deadline", None), 0.0, LONGEST_DEADLINE),
        lasts=_seconds("for", fields.pop("for", None), SHORTEST_HOLD, LONGEST_HOLD),
    )
    _no_fields(fields)
    return request


def lend_request(fields: Fields) -> LendRequest:
    """As `drain_request`; "for" is needed."""
    lasts = _seconds("for", fields.pop("for", None), SHORTEST_HOLD, LONGEST_HOLD)
    if lasts is None:
        raise BadRequestError("cannot lend without an end: for must be seconds")
    request = LendRequest(
        lasts=lasts,
        reason=_line("reason", fields.pop("reason", "")),
        last=_flag("last", fields.pop("last", False)),
        deadline=_seconds("deadline", fields.pop("deadline", None), 0.0, LONGEST_DEADLINE),
    )
    _no_fields(fields)
    return request


def _finite(document: dict[str, object]) -> dict[str, object]:
    return {key: _plain(value) for key, value in document.items()}


def _plain(value: object) -> object:
    """JSON has no infinity: null stands for it."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return _finite(value)
        case list() | tuple():
            return [_plain(element) for element in value]
        case _:
            return value


def _said(answer: Answer) -> Reply:
    code = 200 if answer.ok else 409
    return code, {"api": API, "ok": answer.ok, "message": answer.message, "cure": answer.cure}


def _fields(body: bytes) -> Fields:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequestError("cannot read the body: it is not JSON") from error
    if not isinstance(found, dict):
        raise BadRequestError("cannot read the body: it is no JSON object")
    return found


def _no_fields(fields: Fields) -> None:
    if fields:
        names = ", ".join(sorted(name[:40] for name in fields))
        raise BadRequestError(f"cannot understand the field {names}")


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadRequestError(f"cannot understand {name}: it must be true or false")
    return value


def _line(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_REASON or not value.isprintable():
        raise BadRequestError(
            f"cannot use {name}: it must be one line of at most {LONGEST_REASON} characters"
        )
    return value.strip()


def _seconds(name: str, value: object, least: float, most: float) -> float | None:
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    seconds = float(str(value)) if number else math.nan
    if not (0 < seconds <= most and seconds >= least):
        raise BadRequestError(f"cannot use {name}: it must be seconds, {least:g} to {most:.0f}")
    return seconds
