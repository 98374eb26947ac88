"""What may be asked of a running agent over its control socket, and the checking of each request.

No sockets here: `handle` turns one request into one answer (a status number and a JSON object).
"""

import json
import math
from dataclasses import asdict, dataclass
from typing import Protocol, TypeAlias

from inferagent.model.status import Status
from inferagent.ports import PortError

API = 1
LONGEST_REASON = 200  # characters
LONGEST_DEADLINE = 86400.0  # seconds

Reply: TypeAlias = tuple[int, dict[str, object]]


@dataclass(frozen=True, slots=True)
class DrainRequest:
    """`deadline` in seconds, None: the configured one. `last`: leave even as the last effective endpoint."""

    reason: str = ""
    stop_engine: bool = False
    last: bool = False
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`message` says what happened or why not; `cure` is what to do then."""

    ok: bool
    message: str
    cure: str = ""


class Desk(Protocol):
    """The running agent, as its control socket sees it. Each answers at once."""

    def status(self) -> Status | None: ...
    def drain(self, request: DrainRequest) -> Answer: ...
    def resume(self) -> Answer: ...


class BadRequestError(Exception):
    """The request cannot be understood; the text goes back to its sender."""


def handle(desk: Desk, method: str, target: str, body: bytes) -> Reply:
    """The answer to one request. Never raises for what a client sent, nor for a PortError of the desk."""
    path = target.partition("?")[0]
    allowed = {"/v1/status": "GET", "/v1/drain": "POST", "/v1/resume": "POST"}.get(path)
    if allowed is None:
        return refusal(404, f"cannot find {path[:80]}", "the paths are /v1/status, /v1/drain and /v1/resume")
    if method != allowed:
        return refusal(405, f"cannot {method} {path}", f"use {allowed}")
    try:
        match path:
            case "/v1/status":
                return _status(desk)
            case "/v1/drain":
                return _said(desk.drain(drain_request(_fields(body))))
            case _:
                _no_fields(_fields(body))
                return _said(desk.resume())
    except BadRequestError as error:
        return refusal(400, str(error))
    except PortError as error:
        return refusal(500, str(error))


def refusal(code: int, message: str, cure: str = "") -> Reply:
    return code, {"api": API, "ok": False, "message": message, "cure": cure}


def drain_request(fields: dict[str, object]) -> DrainRequest:
    """The checked request; BadRequestError for an unknown field or a wrong value."""
    request = DrainRequest(
        reason=_reason(fields.pop("reason", "")),
        stop_engine=_flag("stop_engine", fields.pop("stop_engine", False)),
        last=_flag("last", fields.pop("last", False)),
        deadline=_deadline(fields.pop("deadline", None)),
    )
    _no_fields(fields)
    return request


def _status(desk: Desk) -> Reply:
    status = desk.status()
    if status is None:
        return refusal(503, "cannot tell yet: the agent has just started", "inferagent status")
    return 200, {"api": API, **_finite(asdict(status))}


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


def _fields(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequestError("cannot read the body: it is not JSON") from error
    if not isinstance(found, dict):
        raise BadRequestError("cannot read the body: it is no JSON object")
    return found


def _no_fields(fields: dict[str, object]) -> None:
    if fields:
        names = ", ".join(sorted(name[:40] for name in fields))
        raise BadRequestError(f"cannot understand the field {names}")


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadRequestError(f"cannot understand {name}: it must be true or false")
    return value


def _reason(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_REASON or not value.isprintable():
        raise BadRequestError(
            f"cannot use reason: it must be one line of at most {LONGEST_REASON} characters"
        )
    return value.strip()


def _deadline(value: object) -> float | None:
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < float(str(value)) <= LONGEST_DEADLINE:
        raise BadRequestError(f"cannot use deadline: it must be seconds, at most {LONGEST_DEADLINE:.0f}")
    return float(str(value))
