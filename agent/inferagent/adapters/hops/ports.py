"""Can this host reach a port at the edge? TCP by connecting, QUIC by asking for a version that nobody speaks.

RFC 9000, 6: a server answers a datagram of at least 1200 bytes and an unknown version with the versions that
it knows, and keeps nothing of it.
"""

import asyncio
import secrets

from inferagent.ports import PortError

UNKNOWN_VERSION = bytes.fromhex("1a2a3a4a")  # of those that stand for "none"
LEAST = 1200
LONG_HEADER = 0xC0
TRIES_EVERY = 0.7  # seconds; a datagram may be lost


async def tcp_opens(address: str, port: int, timeout: float) -> None:
    """PortError where no connection comes about within `timeout` seconds."""
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        raise PortError(f"cannot connect to {address}:{port} by TCP: no answer") from None
    except OSError as error:
        raise PortError(f"cannot connect to {address}:{port} by TCP: {_why(error)}") from error
    writer.transport.abort()


async def quic_answers(address: str, port: int, timeout: float) -> None:
    """PortError where nobody answers within `timeout` seconds."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            transport, box = await loop.create_datagram_endpoint(_Box, remote_addr=(address, port))
            try:
                await _asked(transport, box)
            finally:
                transport.close()
    except TimeoutError:
        raise PortError(f"cannot reach {address}:{port} by UDP (QUIC): no answer") from None
    except OSError as error:
        raise PortError(f"cannot reach {address}:{port} by UDP (QUIC): {_why(error)}") from error


class _Box(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.own = secrets.token_bytes(8)
        self.heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        """Version negotiation: a long header, version 0, and our connection id given back."""
        if data[:1] >= b"\x80" and data[1:5] == bytes(4) and self.own in data and not self.heard.done():
            self.heard.set_result(None)

    def error_received(self, exc: Exception) -> None:
        if not self.heard.done():
            self.heard.set_exception(exc)


async def _asked(transport: asyncio.DatagramTransport, box: _Box) -> None:
    other = secrets.token_bytes(8)
    head = bytes((LONG_HEADER,)) + UNKNOWN_VERSION + bytes((8,)) + other + bytes((8,)) + box.own
    while not box.heard.done():
        transport.sendto(head.ljust(LEAST, b"\0"))
        await asyncio.wait({box.heard}, timeout=TRIES_EVERY)
    box.heard.result()


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
