"""Headers on their way: a user's request into the tunnel, a connector's answer out of it."""

import secrets
from dataclasses import dataclass

from aiohttp import web

from inferagent.lab.wire.headers import RESPONSE_HEADERS, RESPONSE_META, unpack
from inferagent.lab.wire.stream import Headers

HOP = frozenset(
    {
        b"host",
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"transfer-encoding",
        b"upgrade",
        b"te",
        b"expect",
        b"cf-connecting-ip",
        b"cf-ray",
        b"cdn-loop",
    }
)
NOT_BACK = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})


@dataclass(frozen=True, slots=True)
class Head:
    """A response's head. `source` is "origin", or "cloudflared" when the connector answered itself."""

    status: int
    headers: list[tuple[str, str]]
    source: str


def request_headers(request: web.BaseRequest, host: str | None) -> Headers:
    """`host`: the endpoint's Host header, which replaces the public hostname."""
    client = (request.remote or "127.0.0.1").encode()
    authority = host.encode() if host else (request.host or "").partition(":")[0].encode()
    headers: Headers = [
        (b":method", request.method.encode()),
        (b":scheme", b"https"),
        (b":authority", authority),
        (b":path", request.raw_path.encode("utf-8", "surrogateescape") or b"/"),
        (b"cf-ray", secrets.token_hex(8).encode() + b"-LAB"),
        (b"cf-connecting-ip", client),
        (b"cdn-loop", b"cloudflare"),
        (b"x-forwarded-proto", b"https"),
    ]
    forwarded = [client]
    for name, value in request.raw_headers:
        lower = name.lower()
        if lower == b"x-forwarded-for":
            forwarded.insert(0, value)
        elif lower not in HOP and not lower.startswith(b"cf-cloudflared-"):
            headers.append((lower, value))
    headers.append((b"x-forwarded-for", b", ".join(forwarded)))
    return headers


def read_head(raw: Headers) -> Head:
    """Raises ValueError when the connector's packing is broken."""
    plain = dict(raw)
    pairs = unpack(plain.get(RESPONSE_HEADERS, b""))
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]
    meta = plain.get(RESPONSE_META, b"")
    return Head(
        status=int(plain.get(b":status", b"0")),
        headers=[(name, value) for name, value in headers if name.lower() not in NOT_BACK],
        source="cloudflared" if b"cloudflared" in meta else "origin",
    )
