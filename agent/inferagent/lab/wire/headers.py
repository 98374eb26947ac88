"""How a connector packs an origin's response headers into one HTTP/2 header, and the names on the wire."""

import base64
import binascii
from collections.abc import Iterable

UPGRADE = b"cf-cloudflared-proxy-connection-upgrade"
CONTROL_STREAM = b"control-stream"
UPDATE_CONFIGURATION = b"update-configuration"
RESPONSE_HEADERS = b"cf-cloudflared-response-headers"
RESPONSE_META = b"cf-cloudflared-response-meta"
SERVER_NAME = "h2.cftunnel.com"

Pairs = list[tuple[bytes, bytes]]


def pack(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Base64 without padding, `name:value`, joined by `;`."""
    return b";".join(_encode(name) + b":" + _encode(value) for name, value in headers)


def unpack(packed: bytes) -> Pairs:
    """Raises ValueError when it is not what `pack` makes."""
    pairs: Pairs = []
    for part in filter(None, packed.split(b";")):
        name, colon, value = part.partition(b":")
        if not colon:
            raise ValueError("cannot unpack response headers: a pair without a colon")
        try:
            pairs.append((_decode(name), _decode(value)))
        except binascii.Error as error:
            raise ValueError(f"cannot unpack response headers: {error}") from error
    return pairs


def _encode(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _decode(data: bytes) -> bytes:
    return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
