"""One HTTP question over an open connection, and its answer; the caller sets the deadline and judges."""

import asyncio
from dataclasses import dataclass

import h11

LARGEST = 4 << 20  # bytes of a body
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """`broken`: "" or how the answer ended before its end; `body` is then what came."""

    status: int
    body: bytes
    broken: str = ""


async def exchanged(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request, content: bytes = b""
) -> Answer:
    """Raises OSError, and h11.RemoteProtocolError for what is no HTTP."""
    state = h11.Connection(h11.CLIENT)
    writer.write(state.send(request) or b"")
    if content:
        writer.write(state.send(h11.Data(content)) or b"")
    state.send(h11.EndOfMessage())
    await writer.drain()
    return await _answer(state, reader)


async def _answer(state: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    status, body = 0, bytearray()
    while len(body) <= LARGEST:
        event = state.next_event()
        if event is h11.NEED_DATA:
            state.receive_data(await reader.read(CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            return Answer(status, bytes(body), "it broke off")
    return Answer(status, bytes(body), "it does not end")
