"""What goes over the wire: the API's envelope, and the answers that are none."""

import json
from typing import Any

from aiohttp import web

from inferagent.lab.cloudflare.calls import Answer
from inferagent.lab.cloudflare.errors import ApiError

HTML = "<html><head><title>{status}</title></head><body><center>cloudflare</center></body></html>"


def success(answer: Answer) -> web.Response:
    body: dict[str, Any] = {
        "result": answer.result,
        "success": True,
        "errors": [],
        "messages": answer.messages,
    }
    if answer.info is not None:
        body["result_info"] = answer.info
    return _json(200, body)


def failure(error: ApiError) -> web.Response:
    body = {"result": None, "success": False, "errors": [error.entry()], "messages": []}
    return _json(error.status, body, error.headers)


def broken(status: int, body: str | None, retry_after: int | None = None) -> web.Response:
    """An answer of something in front of the API: the given text, or a page. Below 500: the envelope.

    `retry_after` in seconds, for the header of that name.
    """
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    if body is None and status < 500:
        error = ApiError(status, 10000, "Authentication error" if status == 403 else "request refused")
        error.headers |= headers
        return failure(error)
    text = HTML.format(status=status) if body is None else body
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def garbage(body: str) -> web.Response:
    return web.Response(text=body, content_type="application/json")


def _json(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, text=json.dumps(body), content_type="application/json", headers=headers or {}
    )
