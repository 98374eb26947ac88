"""One monitor probe: an ordinary request through the tunnel, judged by status and body."""

import asyncio
import time
from typing import Any

from inferagent.lab.edge.health import Look
from inferagent.lab.edge.steering import TUNNEL_SUFFIX
from inferagent.lab.edge.tunnels import Tunnels
from inferagent.lab.wire.stream import Headers, StreamFailedError

Object = dict[str, Any]
AGENT = (
    "Mozilla/5.0 (compatible; Cloudflare-Traffic-Manager/1.0; "
    "+https://www.cloudflare.com/traffic-manager/; pool-id: {})"
)
BODY_LIMIT = 10 * 1024


async def probe(tunnels: Tunnels, pool_id: str, origin: Object, monitor: Object) -> Look:
    """Look at one endpoint. A time-out is tried again at once, `retries` times; another failure is not."""
    refused = _cannot_work(origin, monitor)
    if refused:
        return Look(ok=False, reason=refused)
    look = Look(ok=False, reason="TCP connection failed")
    for _ in range(1 + int(_number(monitor, "retries", 2))):
        began = time.monotonic()
        try:
            async with asyncio.timeout(_number(monitor, "timeout", 5)):
                return await _ask(tunnels, pool_id, origin, monitor, began)
        except TimeoutError:
            look = Look(ok=False, rtt=time.monotonic() - began, reason="HTTP timeout occurred")
    return look


def code_matches(expected: str, status: int) -> bool:
    """`200`, `2xx`, or several of these with commas between; nothing expected means 200."""
    wanted = [part.strip().lower() for part in (expected or "200").split(",")]
    return str(status) in wanted or f"{status // 100}xx" in wanted


async def _ask(tunnels: Tunnels, pool_id: str, origin: Object, monitor: Object, began: float) -> Look:
    connection = tunnels.pick(str(origin["address"]).removesuffix(TUNNEL_SUFFIX))
    if connection is None:
        return Look(ok=False, reason="Response code mismatch error", code=530)
    with connection.used():
        try:
            stream = connection.open(_headers(pool_id, origin, monitor), end=True)
        except StreamFailedError:
            return Look(ok=False, reason="TCP connection failed")
        try:
            status = _status(await stream.head())
            body = b""
            while data := await stream.read():
                body += data[: BODY_LIMIT - len(body)]
        except StreamFailedError:
            return Look(ok=False, rtt=time.monotonic() - began, reason="HTTP request failed")
        finally:
            stream.reset()
    return _judge(status, body, time.monotonic() - began, monitor)


def _judge(status: int, body: bytes, rtt: float, monitor: Object) -> Look:
    if not code_matches(str(monitor.get("expected_codes") or ""), status):
        return Look(ok=False, rtt=rtt, reason="Response code mismatch error", code=status)
    wanted = str(monitor.get("expected_body") or "").lower()
    if wanted and wanted not in body.decode(errors="replace").lower():
        return Look(ok=False, rtt=rtt, reason="Response body mismatch error", code=status)
    return Look(ok=True, rtt=rtt, code=status)


def _cannot_work(origin: Object, monitor: Object) -> str:
    """A tunnel endpoint answers HTTPS on 443 only, and only under a name."""
    if not str(origin.get("address", "")).endswith(TUNNEL_SUFFIX):
        return "DNS internal error"
    if monitor.get("type") != "https" or monitor.get("port") not in (None, 0, 443):
        return "TCP connection failed"
    return ""


def _headers(pool_id: str, origin: Object, monitor: Object) -> Headers:
    given = {str(k).lower(): v for k, v in (monitor.get("header") or {}).items()}
    own = {str(k).lower(): v for k, v in (origin.get("header") or {}).items()}
    host = (own.get("host") or given.get("host") or [str(origin["address"])])[0]
    headers: Headers = [
        (b":method", str(monitor.get("method") or "GET").encode()),
        (b":scheme", b"https"),
        (b":authority", str(host).encode()),
        (b":path", str(monitor.get("path") or "/").encode()),
        (b"user-agent", AGENT.format(pool_id[:16]).encode()),
        (b"cf-ray", f"{pool_id[:16]}-LAB".encode()),
    ]
    for name, values in given.items():
        if name not in ("host", "user-agent"):
            headers += [(name.encode(), str(value).encode()) for value in values]
    return headers


def _number(monitor: Object, key: str, default: float) -> float:
    value = monitor.get(key)
    return default if value is None else float(value)


def _status(head: Headers) -> int:
    return int(dict(head).get(b":status", b"0"))
