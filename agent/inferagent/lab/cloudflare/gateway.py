"""The way of a request: counted, disturbed by the faults in force, admitted, then handled."""

import asyncio
import json
import math
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from inferagent.lab.cloudflare.auth import admit, find_token
from inferagent.lab.cloudflare.calls import Call, Route
from inferagent.lab.cloudflare.envelope import broken, failure, garbage, success
from inferagent.lab.cloudflare.errors import ApiError
from inferagent.lab.cloudflare.faults import BROKEN_JSON, Fault, Faults, first
from inferagent.lab.cloudflare.rate import RateLimit
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.cloudflare.store import Store

PREFIX = "/client/v4"
REQUESTS_KEPT = 20_000


@dataclass(slots=True)
class Seen:
    """One request that came in, answered or not (status None)."""

    time: float
    token: str | None
    method: str
    path: str
    status: int | None = None


class Gateway:
    """Everything between the wire and the handlers. `closing` ends the calls that never answer."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.faults = Faults(store.now)
        self.requests: deque[Seen] = deque(maxlen=REQUESTS_KEPT)
        self.closing = asyncio.Event()
        self._rate = RateLimit(settings, store.now)
        self._late: set[asyncio.TimerHandle] = set()

    async def take(self, route: Route | None, request: web.Request) -> web.StreamResponse:
        """Answer one request. `route` is None where the path or the method is unknown."""
        token = find_token(self.store, request.headers)
        path = request.path.removeprefix(PREFIX)
        seen = Seen(self.store.now(), token.id if token else None, request.method, path)
        self.requests.append(seen)
        blocked_s = self._rate.count(token.user) if token else 0.0
        faults = self.faults.take(request.method, path, seen.token)
        try:
            response = await self._disturbed(request, faults) or await self._handled(
                route, request, faults, blocked_s
            )
        except ApiError as error:
            response = failure(error)
        seen.status = response.status
        return response

    def close(self) -> None:
        self.closing.set()
        for timer in self._late:
            timer.cancel()

    async def _disturbed(self, request: web.Request, faults: list[Fault]) -> web.StreamResponse | None:
        """The answer of a fault that stands in front of the API, if there is one."""
        waits = [fault.seconds for fault in faults if fault.kind == "latency"]
        delay = sum(waits) if waits else self.settings.latency_s
        if delay:
            await asyncio.sleep(delay)
        if first(faults, "hang"):
            return await self._hung(request)
        if first(faults, "reset"):
            return _torn_down(request)
        if fault := first(faults, "status"):
            return broken(fault.status, fault.body, fault.retry_after)
        if fault := first(faults, "garbage"):
            return garbage(BROKEN_JSON if fault.body is None else fault.body)
        return None

    async def _handled(
        self, route: Route | None, request: web.Request, faults: list[Fault], blocked_s: float
    ) -> web.StreamResponse:
        if blocked_s:
            raise _too_many(self.settings, blocked_s)
        if route is None:
            raise _unroutable(request)
        params = dict(request.match_info)
        token = admit(self.store, request.headers, route, params)
        tables = self.store.tables
        if stale := first(faults, "stale"):
            tables = self.store.as_of(self.store.now() - stale.seconds)
        query = dict(request.query)
        call = Call(self.store, tables, self.settings, token, params, query, await _body(request))
        path = request.path.removeprefix(PREFIX)
        if late := first(faults, "late"):
            return await self._applied_late(lambda: self._run(route, path, call), late, request)
        return self._run(route, path, call)

    def _run(self, route: Route, path: str, call: Call) -> web.Response:
        """Handle, and journal what was applied."""
        try:
            answer = route.handler(call)
        except ApiError as error:
            return failure(error)
        if route.method != "GET":
            self.store.record(call.token.id, route.method, path, call.body)
        return success(answer)

    async def _applied_late(
        self, run: Callable[[], web.Response], fault: Fault, request: web.Request
    ) -> web.StreamResponse:
        """The write is a timer of its own: that the caller gives up does not stop it."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[web.Response] = loop.create_future()

        def apply() -> None:
            self._late.discard(timer)
            response = run()
            if not answered.done():
                answered.set_result(response)

        timer = loop.call_later(fault.seconds, apply)
        self._late.add(timer)
        if fault.answer == "504":
            return broken(504, fault.body)
        if fault.answer == "hang":
            return await self._hung(request)
        return await answered

    async def _hung(self, request: web.Request) -> web.StreamResponse:
        await self.closing.wait()
        return _torn_down(request)


async def _body(request: web.Request) -> Any:
    if request.method not in ("POST", "PUT", "PATCH"):
        return None
    try:
        return json.loads(await request.read())
    except ValueError:
        raise ApiError(400, 6007, "Malformed JSON in request body") from None


def _torn_down(request: web.Request) -> web.StreamResponse:
    """Close with RST, so that the caller sees a reset and not an end of file."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=499)


def _too_many(settings: Settings, blocked_s: float) -> ApiError:
    rule = f"more than {settings.rate_limit} requests in {settings.rate_window_s:g} seconds"
    error = ApiError(429, 971, f"{rule}: wait, and ask less often")
    error.headers["retry-after"] = str(math.ceil(blocked_s))
    return error


def _unroutable(request: web.Request) -> ApiError:
    chain = [{"code": 7000, "message": "No route for that URI"}]
    return ApiError(404, 7003, f"cannot route {request.method} {request.path}", chain)
