"""One stream of a link: a head, a body that is read in pieces as they come, and a body that is sent."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import h2.exceptions
from h2.errors import ErrorCodes

if TYPE_CHECKING:
    from inferagent.lab.wire.link import Link

Headers = list[tuple[bytes, bytes]]


class StreamFailedError(ConnectionError):
    """The peer reset the stream."""


class LinkClosedError(StreamFailedError):
    """The whole connection went away."""


class Stream:
    __slots__ = (
        "_chunks",
        "_ended",
        "_error",
        "_head",
        "_sent_end",
        "_unacked",
        "_waiter",
        "id",
        "link",
        "on_fail",
    )

    def __init__(self, link: "Link", stream_id: int, *, sent_end: bool = False) -> None:
        self.link = link
        self.id = stream_id
        self._chunks: list[bytes] = []
        self._unacked = 0
        self._head: Headers | None = None
        self._ended = False
        self._sent_end = sent_end
        self._error: StreamFailedError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.on_fail: Callable[[], object] | None = None
        """Called when the peer resets the stream or the link is lost, never for our own reset."""

    @property
    def ended(self) -> bool:
        """The peer has sent all of its body."""
        return self._ended

    @property
    def waiting(self) -> bool:
        """Data has come that was not read yet."""
        return bool(self._chunks)

    async def head(self) -> Headers:
        """The response's headers. Raises StreamFailedError."""
        while self._head is None:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StreamFailedError("cannot read the answer: it ended without a head")
            await self._wait()
        return self._head

    async def read(self) -> bytes:
        """All that has come since the last call; waits for the first byte; b"" at the end.

        Raises StreamFailedError.
        """
        while not self._chunks:
            if self._ended:
                return b""
            if self._error is not None:
                raise self._error
            await self._wait()
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._acknowledge()
        return data

    def respond(self, headers: Headers, *, end: bool = False) -> None:
        """Send the response's head. Raises StreamFailedError."""
        self._check()
        try:
            self.link.h2.send_headers(self.id, headers, end_stream=end)
        except h2.exceptions.ProtocolError as error:
            raise StreamFailedError(f"cannot answer: {error}") from error
        self.link.flush()
        if end:
            self._over()

    async def send(self, data: bytes, *, end: bool = False) -> None:
        """Send all of it, as the peer's windows allow. Raises StreamFailedError."""
        at, size = 0, len(data)
        while at < size:
            room = self._room()
            if room <= 0:
                await self.link.wait_for_room()
                continue
            piece = data if at == 0 and size <= room else data[at : at + room]
            at += len(piece)
            self._put(piece, end and at == size)
        if end:
            if not size:
                self._put(b"", True)
            self._over()

    def reset(self, code: ErrorCodes = ErrorCodes.CANCEL) -> None:
        """Give the stream up; the peer hears of it. Does nothing on a stream that is over."""
        if self.link.streams.pop(self.id, None) is None:
            return
        with contextlib.suppress(h2.exceptions.ProtocolError):
            self.link.h2.reset_stream(self.id, code)
            self.link.flush()
        self._chunks.clear()
        self._acknowledge()
        self._break(StreamFailedError("cannot go on: the stream was given up"))

    # What the link feeds
    def feed(self, data: bytes, flow: int) -> None:
        self._unacked += flow
        if data:
            self._chunks.append(data)
            self._wake()

    def feed_head(self, headers: Headers) -> None:
        self._head = headers
        self._wake()

    def feed_end(self) -> None:
        self._ended = True
        self._wake()
        self._forget_when_over()

    def fail_reset(self, code: object) -> None:
        self.link.streams.pop(self.id, None)
        self._acknowledge()
        self.fail(StreamFailedError(f"cannot go on: the peer reset the stream ({code})"))

    def fail(self, error: StreamFailedError) -> None:
        self._break(error)
        if self.on_fail is not None:
            self.on_fail()

    def _break(self, error: StreamFailedError) -> None:
        if self._error is None:
            self._error = error
        self._wake()
        self.link.wake()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self.link.lost:
            raise LinkClosedError("cannot send: the tunnel connection is gone")

    def _room(self) -> int:
        self._check()
        try:
            return self.link.room(self.id)
        except h2.exceptions.ProtocolError as error:
            raise StreamFailedError(f"cannot send: {error}") from error

    def _put(self, piece: bytes, last: bool) -> None:
        self._check()
        try:
            self.link.h2.send_data(self.id, piece, end_stream=last)
        except h2.exceptions.ProtocolError as error:
            raise StreamFailedError(f"cannot send: {error}") from error
        self.link.sent(len(piece))

    def _over(self) -> None:
        self._sent_end = True
        self._forget_when_over()

    def _acknowledge(self) -> None:
        if self._unacked and not self.link.lost:
            try:
                self.link.h2.acknowledge_received_data(self._unacked, self.id)
            except h2.exceptions.ProtocolError:
                return
            self._unacked = 0
            self.link.flush()

    def _forget_when_over(self) -> None:
        if self._ended and self._sent_end:
            self.link.streams.pop(self.id, None)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter
