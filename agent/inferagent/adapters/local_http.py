"""HTTP to a program on this host: one warm connection, a deadline on every call, a bound on every answer.

Tells apart what the judges must tell apart: nobody listens, taken but silent, answered.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import h11

from inferagent.adapters.knock import listens
from inferagent.adapters.local_wire import Wire, WireError
from inferagent.ports import PortError

MAX_BYTES = 2 << 20
LEAST = 0.05
HEADERS = [("Accept", "*/*"), ("Accept-Encoding", "identity"), ("User-Agent", "inferagent")]


class RefusedError(PortError):
    """Nobody listens at the port: evidence, not unknown."""


class SilentError(PortError):
    """No answer in time. `taken`: the request was handed over whole before the silence."""

    def __init__(self, text: str, taken: bool) -> None:
        super().__init__(text)
        self.taken = taken


class BrokenError(PortError):
    """The connection was taken and broke off before the answer was whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`whole` is False when the body was cut at the size bound."""

    status: int
    body: bytes
    whole: bool = True

    def json(self) -> Any:
        """The body as JSON; PortError when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise PortError(f"cannot read the answer as JSON: {error}") from error

    def mapping(self) -> dict[str, Any]:
        """The body as a JSON object; PortError when it is none."""
        value = self.json()
        if not isinstance(value, dict):
            raise PortError("cannot read the answer: it is no JSON object")
        return value


@dataclass(slots=True)
class _Trail:
    """What happened on the wire of one try."""

    fresh: bool = False
    taken: bool = False

    def mark(self) -> None:
        self.taken = True


@dataclass(slots=True)
class LocalHttp:
    """A client of one program; `connects` counts new connections, so that a restart of it is noticed.

    `name`: the Host header, where it is not to be the url's.
    """

    url: str
    max_bytes: int = MAX_BYTES
    connects: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    name: str = ""
    _idle: list[Wire] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    async def ask(self, method: str, path: str, timeout: float, body: object = None) -> Answer:
        """One exchange within `timeout` seconds; RefusedError, SilentError, BrokenError or PortError."""
        trail = _Trail()
        if timeout < LEAST:
            raise SilentError(f"cannot ask {self.url}{path}: no time is left", taken=False)
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(method, path, body, trail)
        except TimeoutError:
            words = f"cannot get an answer from {self.url}{path} within {timeout:.1f} s"
            raise SilentError(words, trail.taken) from None

    async def get(self, path: str, timeout: float) -> Answer:
        return await self.ask("GET", path, timeout)

    async def aclose(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _exchange(self, method: str, path: str, body: object, trail: _Trail) -> Answer:
        """A kept connection that the other side has closed meanwhile is tried once more, on a new one."""
        try:
            return await self._once(method, path, body, trail)
        except BrokenError:
            if trail.fresh:
                raise
        trail.taken = False
        return await self._once(method, path, body, trail)

    async def _once(self, method: str, path: str, body: object, trail: _Trail) -> Answer:
        content = b"" if body is None else json.dumps(body, allow_nan=False).encode()
        request = self._request(method, path, len(content) if body is not None else None)
        wire = self._kept() or await self._connected(path, trail)
        try:
            return Answer(*await wire.ask(request, content, self.max_bytes, trail.mark))
        except WireError as error:
            raise BrokenError(f"cannot get a whole answer from {self.url}{path}: {error}") from error
        finally:
            if wire.usable:
                self._idle.append(wire)
            else:
                wire.close()

    def _kept(self) -> Wire | None:
        """The connection that was used last and is still good; those that are not are closed."""
        while self._idle:
            wire = self._idle.pop()
            if wire.usable:
                return wire
            wire.close()
        return None

    async def _connected(self, path: str, trail: _Trail) -> Wire:
        try:
            wire = await Wire.opened(*self.place)
        except OSError as error:
            raise await self._unreached(path, error) from error
        trail.fresh = True
        self.connects += 1
        return wire

    def _request(self, method: str, path: str, length: int | None) -> h11.Request:
        """No compression: the bound counts what is on the wire."""
        headers = [("Host", self.name or urlsplit(self.url).netloc), *HEADERS, *self.headers]
        if length is not None:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(length))]
        return h11.Request(method=method, target=path, headers=headers)

    async def _unreached(self, path: str, error: OSError) -> PortError:
        host, port = self.place
        try:
            if not await listens(host, port):
                return RefusedError(f"cannot reach {self.url}: the port refuses")
        except OSError as reason:
            return PortError(f"cannot reach {self.url}: {reason}")
        return BrokenError(f"cannot get an answer from {self.url}{path}: {error or 'it came up just now'}")
