"""Cloudflare's envelope: an HTTP answer becomes its result, or the reason why there is none."""

import math
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Answer:
    """`result` of a success; `total` counts all entries over all pages (None: not paginated)."""

    result: Any
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """`reason` says code and message; `code` is Cloudflare's first error code (0: none).

    `retry` is True where the same call may succeed later; `retry_after` in seconds if the answer said so.
    """

    reason: str
    status: int
    code: int = 0
    retry: bool = False
    retry_after: float | None = None


LATER = frozenset({408, 409, 425, 429})


def decode(response: httpx.Response) -> Answer | Refusal:
    """Never raises: what is no envelope is a refusal that a retry may cure."""
    status = response.status_code
    retry = status >= 500 or status in LATER
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("success"), bool):
        ill = retry or status < 400
        return Refusal(f"HTTP {status} without Cloudflare's envelope", status, 0, ill, _after(response))
    if body["success"] and 200 <= status < 300:
        return Answer(body.get("result"), _total(body.get("result_info")))
    code, text = _errors(body.get("errors"))
    return Refusal(f"{text} (HTTP {status})", status, code, retry, _after(response))


def _errors(errors: object) -> tuple[int, str]:
    """The first code, and every error in words."""
    found = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    if not found:
        return 0, "no reason given"
    code = found[0].get("code")
    words = "; ".join(f"{e.get('code')} {e.get('message')}" for e in found)
    return (code if isinstance(code, int) else 0), words


def _total(info: object) -> int | None:
    total = info.get("total_count") if isinstance(info, dict) else None
    return total if isinstance(total, int) else None


def _after(response: httpx.Response) -> float | None:
    """The retry-after header in seconds; its other form, a date, is not used by this API."""
    try:
        seconds = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
