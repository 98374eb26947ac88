"""The edge's UDP port: who asks for a QUIC version that nobody speaks hears which are spoken (RFC 9000, 6).

Nothing more of QUIC: connectors of the lab come by TCP.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

LEAST = 1200
LONG_HEADER = 0x80
KNOWN = bytes.fromhex("00000001")


class Datagrams(asyncio.DatagramProtocol):
    """One for all addresses; `open` False: as behind a firewall that drops."""

    def __init__(self) -> None:
        self.open = True
        self._transports: list[asyncio.DatagramTransport] = []

    async def listen(self, addresses: Sequence[str], port: int) -> None:
        loop = asyncio.get_running_loop()
        for address in addresses:
            transport, _ = await loop.create_datagram_endpoint(lambda: _One(self), local_addr=(address, port))
            self._transports.append(transport)

    def close(self) -> None:
        for transport in self._transports:
            transport.close()


class _One(asyncio.DatagramProtocol):
    def __init__(self, owner: Datagrams) -> None:
        self._owner = owner
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answer = negotiation(data)
        if self._owner.open and answer and self._transport:
            self._transport.sendto(answer, addr)


def negotiation(data: bytes) -> bytes:
    """b"" for what is no long header of an unknown version."""
    if len(data) < LEAST or not data[0] & LONG_HEADER or data[1:5] in (KNOWN, bytes(4)):
        return b""
    other_size = data[5]
    own_at = 6 + other_size
    other, own = data[6:own_at], data[own_at + 1 : own_at + 1 + data[own_at]]
    return bytes((LONG_HEADER,)) + bytes(4) + bytes((len(own),)) + own + bytes((other_size,)) + other + KNOWN
