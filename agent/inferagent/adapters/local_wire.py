"""One HTTP/1.1 connection to a program on this host: h11 on asyncio's streams, and nothing above them.

An idle agent does little else than ask its neighbours, and a whole client library takes three times as long.
"""

import asyncio
import time
from collections.abc import Callable

import h11

WARM = 60.0  # seconds that an unused connection is kept
LONGEST_HEAD = 100 << 10
CHUNK = 1 << 16

Header = tuple[str, str]


class WireError(Exception):
    """The connection broke, or what came over it is no HTTP."""


class Wire:
    """Open from `opened` to `close`; good for another question while `usable`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._used_at = time.monotonic()

    @classmethod
    async def opened(cls, host: str, port: int) -> "Wire":
        """OSError where nobody takes the connection."""
        return cls(*await asyncio.open_connection(host, port))

    @property
    def usable(self) -> bool:
        """Not after an answer that was cut or closed the connection, nor once the other side has left."""
        idle = self._state.our_state is h11.IDLE and not self._reader.at_eof()
        return idle and not self._writer.is_closing() and time.monotonic() - self._used_at <= WARM

    async def ask(
        self,
        request: h11.Request,
        body: bytes,
        max_bytes: int,
        taken: Callable[[], None],
    ) -> tuple[int, bytes, bool]:
        """Status, body, and whether the body is whole; `taken` is called once the question is handed over.

        Raises WireError.
        """
        try:
            await self._send(request, body)
            taken()
            return await self._answer(max_bytes)
        except (OSError, h11.RemoteProtocolError) as error:
            raise WireError(str(error) or "the connection broke") from error

    def close(self) -> None:
        self._writer.close()

    async def _send(self, request: h11.Request, body: bytes) -> None:
        parts = [self._state.send(request), self._state.send(h11.Data(body)) if body else b""]
        self._writer.write(b"".join([part for part in parts if part]))
        self._state.send(h11.EndOfMessage())
        await self._writer.drain()

    async def _answer(self, max_bytes: int) -> tuple[int, bytes, bool]:
        status, parts, size = 0, [], 0
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
                size += len(event.data)
                if size > max_bytes:
                    return status, b"".join(parts)[:max_bytes], False
        if self._state.our_state is h11.DONE and self._state.their_state is h11.DONE:
            self._state.start_next_cycle()
            self._used_at = time.monotonic()
        return status, b"".join(parts), True

    async def _event(self) -> object:
        while (event := self._state.next_event()) is h11.NEED_DATA:
            self._state.receive_data(await self._reader.read(CHUNK))
        return event
