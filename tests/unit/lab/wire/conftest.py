import asyncio
import contextlib

import pytest

from inferagent.lab.wire.link import Link


class Pair:
    """Two links with a socket between. `requests` holds the streams that the server side got."""

    def __init__(self):
        self.requests = asyncio.Queue()
        self.lost = []

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        arrived = loop.create_future()
        self.listener = await loop.create_server(
            lambda: Link(client=True, on_open=arrived.set_result, on_lost=self.lost.append), "127.0.0.1", 0
        )
        _, self.server = await loop.create_connection(
            lambda: Link(
                client=False,
                on_request=lambda stream, headers: self.requests.put_nowait((stream, dict(headers))),
            ),
            *self.listener.sockets[0].getsockname(),
        )
        self.client = await arrived
        return self

    async def __aexit__(self, *_):
        self.client.abort()
        self.server.abort()
        self.listener.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.wait([self.client.closed, self.server.closed])

    def get(self, path=b"/", end=True):
        head = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"h"), (b":path", path)]
        return self.client.open(head, end=end)


@pytest.fixture
async def pair():
    async with Pair() as both:
        yield both
