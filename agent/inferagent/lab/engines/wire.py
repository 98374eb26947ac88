"""How the stand-ins put bodies on the wire: compact JSON, server-sent events, lines."""

import json
from typing import Any

from aiohttp import web

DONE = b"data: [DONE]\n\n"


def compact(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def event(body: Any) -> bytes:
    return b"data: " + compact(body) + b"\n\n"


def line(body: Any) -> bytes:
    return compact(body) + b"\n"


def answer(body: Any, status: int = 200, kind: str = "application/json") -> web.Response:
    return web.Response(body=compact(body), status=status, headers={"Content-Type": kind})


def asked(raw: bytes) -> dict[str, Any] | None:
    """The JSON object of a request's body; None when it is none."""
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
