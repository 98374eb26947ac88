"""From a stream of the edge to the origin that the ingress rules name, and back, piece by piece."""

from collections.abc import AsyncIterator
from urllib.parse import unquote

import aiohttp
from h2.errors import ErrorCodes
from multidict import CIMultiDict
from yarl import URL

from inferagent.lab.connector.ingress import Configuration, Rule
from inferagent.lab.connector.logs import Log
from inferagent.lab.connector.metrics import Metrics
from inferagent.lab.wire.headers import RESPONSE_HEADERS, RESPONSE_META, pack
from inferagent.lab.wire.stream import Headers, Stream, StreamFailedError

FROM_ORIGIN = b'{"src":"origin"}'
FROM_HERE = b'{"src":"cloudflared"}'
ADDED_BY_LIBRARY = frozenset({"User-Agent", "Accept", "Accept-Encoding", "Content-Type"})


class Origins:
    """One of it for the whole program: it holds the kept connections to the origins."""

    def __init__(self, configuration: Configuration, metrics: Metrics, log: Log) -> None:
        self._configuration, self._metrics, self._log = configuration, metrics, log
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=90),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
            auto_decompress=False,
            skip_auto_headers=ADDED_BY_LIBRARY,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        await self._session.close()

    async def serve(self, stream: Stream, headers: Headers) -> None:
        """Answer one request. Cancelled when the edge gives the stream up: the origin's request ends too."""
        self._metrics.total_requests += 1
        self._metrics.concurrent_requests += 1
        finished = False
        try:
            finished = await self._serve(stream, headers)
        finally:
            self._metrics.concurrent_requests -= 1
            if not finished:
                self._metrics.request_errors += 1
            if not stream.ended:
                stream.reset(ErrorCodes.NO_ERROR)

    async def _serve(self, stream: Stream, headers: Headers) -> bool:
        plain = dict(headers)
        host = plain.get(b":authority", b"").decode("latin-1")
        target = plain.get(b":path", b"/").decode("latin-1")
        rule = self._configuration.match(host, unquote(target.partition("?")[0]))
        try:
            if rule.status:
                stream.respond(_head(rule.status, [], FROM_ORIGIN), end=True)
                self._metrics.response_by_code[rule.status] += 1
                return True
            return await self._forward(stream, headers, rule, host, target)
        except StreamFailedError:
            return False

    async def _forward(self, stream: Stream, headers: Headers, rule: Rule, host: str, target: str) -> bool:
        begun = False
        try:
            async with self._session.request(
                dict(headers)[b":method"].decode("latin-1"),
                URL(rule.service + target, encoded=True),
                headers=_to_origin(headers, rule, host),
                data=None if stream.ended and not stream.waiting else _body(stream),
                allow_redirects=False,
                ssl=False,
            ) as answer:
                pairs = [(name, value) for name, value in answer.raw_headers if not _internal(name)]
                stream.respond(_head(answer.status, pairs, FROM_ORIGIN))
                begun = True
                while data := await answer.content.readany():
                    await stream.send(data)
                await stream.send(b"", end=True)
                self._metrics.response_by_code[answer.status] += 1
                return True
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error, StreamFailedError):
                raise
            self._broke_off(stream, error, begun=begun)
            return False

    def _broke_off(self, stream: Stream, error: Exception, *, begun: bool) -> None:
        self._log.error("failed to serve incoming request", error=f"cannot reach the origin: {error!r}")
        if begun:
            stream.reset(ErrorCodes.INTERNAL_ERROR)
        else:
            stream.respond([(b":status", b"502"), (RESPONSE_META, FROM_HERE)], end=True)


async def _body(stream: Stream) -> AsyncIterator[bytes]:
    while data := await stream.read():
        yield data


def _head(status: int, pairs: list[tuple[bytes, bytes]], source: bytes) -> Headers:
    head: Headers = [
        (b":status", str(status).encode()),
        (RESPONSE_HEADERS, pack(pairs)),
        (RESPONSE_META, source),
    ]
    length = next((value for name, value in pairs if name.lower() == b"content-length"), None)
    if length is not None:
        head.append((b"content-length", length))
    return head


def _internal(name: bytes) -> bool:
    return name.lower().startswith((b"cf-int-", b"cf-cloudflared-", b"cf-proxy-"))


def _to_origin(headers: Headers, rule: Rule, host: str) -> CIMultiDict[str]:
    given: CIMultiDict[str] = CIMultiDict()
    for name, value in headers:
        if not name.startswith(b":"):
            given.add(name.decode("latin-1"), value.decode("utf-8", "surrogateescape"))
    given["Host"] = rule.host_header or host
    if rule.host_header:
        given["X-Forwarded-Host"] = host
    given["Connection"] = "keep-alive"
    return given
