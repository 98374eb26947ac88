"""One HTTP/2 connection over an asyncio transport, in either role, with streams that obey flow control.

Data is acknowledged when it is read, so a slow reader slows its own sender and nobody else.
Writes of one turn of the event loop leave in one TLS record.
"""

import asyncio
from collections.abc import Callable

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from h2.errors import ErrorCodes

from inferagent.lab.wire.stream import Headers, LinkClosedError, Stream

STREAM_WINDOW = 256 * 1024
LINK_WINDOW = 32 * 1024 * 1024
MANY = 2**31 - 1
MUCH = 128 * 1024


class Link(asyncio.Protocol):
    """`on_request` is called with each stream that the peer opens; `on_lost` once, when the link is gone."""

    def __init__(
        self,
        *,
        client: bool,
        on_open: "Callable[[Link], None] | None" = None,
        on_request: Callable[[Stream, Headers], None] | None = None,
        on_lost: "Callable[[Link], None] | None" = None,
    ) -> None:
        config = h2.config.H2Configuration(
            client_side=client,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.h2 = h2.connection.H2Connection(config)
        self.h2.local_settings = h2.settings.Settings(
            client=client,
            initial_values={
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: MANY,
                **({h2.settings.SettingCodes.ENABLE_PUSH: 0} if client else {}),
            },
        )
        self.streams: dict[int, Stream] = {}
        self.lost = False
        self.goaway = False
        self.peer = ""
        self._on_open, self._on_request, self._on_lost = on_open, on_request, on_lost
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._flush_due = False
        self._unsent = 0
        self._paused = False
        self._blocked: set[asyncio.Future[None]] = set()
        self._pings: list[asyncio.Future[None]] = []

    # asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(LINK_WINDOW)
        self.flush()
        if self._on_open:
            self._on_open(self)

    def data_received(self, data: bytes) -> None:
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self.abort()
            return
        for event in events:
            handler = HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event)
        self.flush()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.lost = True
        for stream in list(self.streams.values()):
            stream.fail(LinkClosedError("cannot go on: the tunnel connection is gone"))
        self.wake()
        for ping in self._pings:
            if not ping.done():
                ping.set_exception(LinkClosedError("cannot ping: the tunnel connection is gone"))
        if not self.closed.done():
            self.closed.set_result(None)
        if self._on_lost:
            self._on_lost(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.wake()

    # What streams and owners use
    def open(self, headers: Headers, *, end: bool = False) -> Stream:
        """Open a stream as the client. Raises LinkClosedError when the link is gone or going."""
        if self.lost or self.goaway:
            raise LinkClosedError("cannot open a stream: the tunnel connection is gone")
        try:
            stream_id = self.h2.get_next_available_stream_id()
            self.h2.send_headers(stream_id, headers, end_stream=end)
        except h2.exceptions.ProtocolError as error:
            raise LinkClosedError(f"cannot open a stream: {error}") from error
        stream = self.streams[stream_id] = Stream(self, stream_id, sent_end=end)
        self.flush()
        return stream

    def flush(self) -> None:
        """Send what is due at the end of this turn of the loop."""
        if not self._flush_due and not self.lost:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def sent(self, size: int) -> None:
        """A stream has put so many bytes into the outgoing buffer."""
        self._unsent += size
        if self._unsent > MUCH:
            # At once, so that a transport that is full can say so before more is put in.
            self._flush()
        else:
            self.flush()

    def _flush(self) -> None:
        self._flush_due = False
        self._unsent = 0
        data = self.h2.data_to_send()
        if data and self._transport is not None and not self.lost:
            self._transport.write(data)

    def room(self, stream_id: int) -> int:
        """How many bytes one frame of this stream may carry now."""
        if self._paused:
            return 0
        return min(self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size)

    async def wait_for_room(self) -> None:
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._blocked.add(waiter)
        try:
            await waiter
        finally:
            self._blocked.discard(waiter)

    def wake(self) -> None:
        for waiter in self._blocked:
            if not waiter.done():
                waiter.set_result(None)

    async def ping(self) -> None:
        """Return when the peer has answered. Raises LinkClosedError."""
        if self.lost:
            raise LinkClosedError("cannot ping: the tunnel connection is gone")
        answer: asyncio.Future[None] = self._loop.create_future()
        self._pings.append(answer)
        self.h2.ping(len(self._pings).to_bytes(8, "big"))
        self.flush()
        await answer

    def close(self) -> None:
        """Say goodbye and close; whatever is still open is cut."""
        if self.lost or self._transport is None:
            return
        if not self.goaway:
            self.h2.close_connection(ErrorCodes.NO_ERROR)
            self.goaway = True
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Cut at once, as a lost network would."""
        if self._transport is not None:
            self._transport.abort()

    def _got_data(self, event: h2.events.DataReceived) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is None:
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        else:
            stream.feed(event.data, event.flow_controlled_length)

    def _got_request(self, event: h2.events.RequestReceived) -> None:
        stream = self.streams[event.stream_id] = Stream(self, event.stream_id)
        if self._on_request:
            self._on_request(stream, event.headers)

    def _got_response(self, event: h2.events.ResponseReceived) -> None:
        if (stream := self.streams.get(event.stream_id)) is not None:
            stream.feed_head(event.headers)

    def _got_end(self, event: h2.events.StreamEnded) -> None:
        if (stream := self.streams.get(event.stream_id)) is not None:
            stream.feed_end()

    def _got_reset(self, event: h2.events.StreamReset) -> None:
        if (stream := self.streams.get(event.stream_id)) is not None:
            stream.fail_reset(event.error_code)

    def _got_room(self, _event: h2.events.Event) -> None:
        self.wake()

    def _got_pong(self, _event: h2.events.PingAckReceived) -> None:
        if self._pings and not (answer := self._pings.pop(0)).done():
            answer.set_result(None)

    def _got_goodbye(self, _event: h2.events.ConnectionTerminated) -> None:
        self.goaway = True
        self.wake()


HANDLERS: dict[type[h2.events.Event], Callable[..., None]] = {
    h2.events.DataReceived: Link._got_data,
    h2.events.RequestReceived: Link._got_request,
    h2.events.ResponseReceived: Link._got_response,
    h2.events.StreamEnded: Link._got_end,
    h2.events.StreamReset: Link._got_reset,
    h2.events.WindowUpdated: Link._got_room,
    h2.events.RemoteSettingsChanged: Link._got_room,
    h2.events.PingAckReceived: Link._got_pong,
    h2.events.ConnectionTerminated: Link._got_goodbye,
}
