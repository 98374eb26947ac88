"""HTTP to a program on this host: one warm connection, a deadline on every call, a bound on every answer.

Tells apart what the judges must tell apart: nobody listens, taken but silent, answered.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from inferagent.adapters.knock import listens
from inferagent.ports import PortError

MAX_BYTES = 2 << 20
WARM = 60.0
LEAST = 0.05


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
    """What happened on the wire of one try, told by httpx's trace events."""

    fresh: bool = False
    taken: bool = False

    async def mark(self, event: str, _info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self.fresh = True
        elif event.endswith("send_request_body.complete"):
            self.taken = True


@dataclass(slots=True)
class LocalHttp:
    """A client of one program; `connects` counts new connections, so that a restart of it is noticed."""

    url: str
    max_bytes: int = MAX_BYTES
    connects: int = 0
    _client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        # No proxies from the environment, and no compression: the bound counts what is on the wire.
        self._client = httpx.AsyncClient(
            base_url=self.url,
            timeout=httpx.Timeout(None),
            trust_env=False,
            headers={"accept-encoding": "identity", "user-agent": "inferagent"},
            limits=httpx.Limits(keepalive_expiry=WARM),
        )

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
        await self._client.aclose()

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
        try:
            return await self._send(method, path, body, trail)
        except httpx.ConnectError as error:
            raise await self._unreached(path, error) from error
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            text = f"cannot get a whole answer from {self.url}{path}: {error or 'the connection broke'}"
            raise BrokenError(text) from error
        except httpx.HTTPError as error:
            raise PortError(f"cannot ask {self.url}{path}: {error}") from error
        finally:
            self.connects += trail.fresh

    async def _send(self, method: str, path: str, body: object, trail: _Trail) -> Answer:
        extensions = {"trace": trail.mark}
        async with self._client.stream(method, path, json=body, extensions=extensions) as response:
            parts: list[bytes] = []
            size = 0
            async for part in response.aiter_raw():
                parts.append(part)
                size += len(part)
                if size > self.max_bytes:
                    return Answer(response.status_code, b"".join(parts)[: self.max_bytes], whole=False)
            return Answer(response.status_code, b"".join(parts))

    async def _unreached(self, path: str, error: httpx.ConnectError) -> PortError:
        host, port = self.place
        try:
            if not await listens(host, port):
                return RefusedError(f"cannot reach {self.url}: the port refuses")
        except OSError as reason:
            return PortError(f"cannot reach {self.url}: {reason}")
        return BrokenError(f"cannot get an answer from {self.url}{path}: {error or 'it came up just now'}")
