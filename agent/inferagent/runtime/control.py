"""The control sockets: HTTP/1.1 over two unix sockets, one request a connection, for this host's commands.

control.sock is for readers, operator.sock for those who may act (`runtime/sockets.py` says who that is).
Everything that a client sends is bounded in size and time, each socket has connections of its own, and
nothing that anybody sends can end the agent.
"""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

import h11
import structlog

from inferagent.runtime.desk import OPERATOR, Answer, Desk, Door, DrainRequest, Reply, handle, refusal
from inferagent.runtime.lock import ControlError, only_agent
from inferagent.runtime.sockets import (
    ACTING,
    READING,
    Access,
    is_there,
    may_cure,
    open_acting,
    open_reading,
    remove,
)

__all__ = [
    "READING",
    "Access",
    "Answer",
    "ControlError",
    "Desk",
    "DrainRequest",
    "only_agent",
    "serve_control",
]

log = structlog.get_logger()

LONGEST_HEADER = 16 * 1024  # bytes
LONGEST_BODY = 16 * 1024
MOST_CONNECTIONS = 32  # at each of the two
PATIENCE = 5.0  # seconds for a whole request and its answer
LINGER = 1.0
LOOK = 2.0  # seconds between two looks at whether the sockets' files are still there
NOBODY_ELSE = Access()


async def serve_control(
    run: Path,
    desk: Desk,
    ready: asyncio.Event | None = None,
    access: Access = NOBODY_ELSE,
    troubles: MutableMapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> None:
    """Serve both sockets in the runtime folder until cancelled; `ready` is set once they answer. Sockets that
    somebody removes are opened again.

    ControlError if one cannot be opened. `troubles` gets a line where a group cannot be let in; a request may
    take `patience` seconds.
    """
    said: MutableMapping[str, str] = {} if troubles is None else troubles
    reading, acting = run / READING, run / ACTING
    while True:
        async with contextlib.AsyncExitStack() as stack:
            listener, inode = open_reading(reading, access, said)
            stack.callback(remove, reading, inode)
            door = Door(acting=False, cure=may_cure(acting))
            await stack.enter_async_context(_served(listener, _Office(desk, door, patience)))
            listener, other = open_acting(acting, access, said)
            stack.callback(remove, acting, other)
            await stack.enter_async_context(_served(listener, _Office(desk, OPERATOR, patience)))
            if ready is not None:
                ready.set()
            await _removed({reading: inode, acting: other})
        log.warning("the control sockets were removed: opening them again", folder=str(run))


async def _removed(files: dict[Path, int]) -> None:
    """Until one of these sockets has lost its name."""
    while True:
        await asyncio.sleep(LOOK)
        if not all(is_there(path, inode) for path, inode in files.items()):
            return


@contextlib.asynccontextmanager
async def _served(listener: socket.socket, office: "_Office") -> AsyncIterator[None]:
    try:
        server = await asyncio.start_unix_server(office.receive, sock=listener, limit=LONGEST_HEADER)
        try:
            yield
        finally:
            server.close()
            await office.close()
    finally:
        listener.close()


@dataclass(slots=True)
class _Office:
    """The open connections of one socket, each with the task that serves it."""

    desk: Desk
    door: Door
    patience: float
    open: dict[asyncio.StreamWriter, "asyncio.Task[None] | None"] = field(default_factory=dict)
    closed: bool = False

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its end."""
        if self.closed:  # accepted just before the end
            writer.close()
            return
        self.open[writer] = asyncio.current_task()
        try:
            async with asyncio.timeout(self.patience):
                await self._talk(reader, writer)
                await _hang_up(reader, writer)
        except (OSError, TimeoutError, h11.LocalProtocolError):
            pass  # the client is gone, too slow, or asks what h11 cannot answer: nobody is left to tell
        finally:
            writer.close()
            del self.open[writer]

    async def close(self) -> None:
        """End the connections that are still open."""
        self.closed = True
        tasks = [task for task in self.open.values() if task is not None]
        for writer in self.open:
            writer.transport.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEADER)
        try:
            if len(self.open) > MOST_CONNECTIONS:
                code, document = refusal(503, "cannot answer: too many connections", "try again")
            else:
                code, document = await self._answer(connection, reader, writer)
        except h11.RemoteProtocolError as error:
            code, document = refusal(error.error_status_hint, f"cannot understand the request: {error}")
        writer.write(_response(connection, code, document))
        await writer.drain()

    async def _answer(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Reply:
        request = await _event(connection, reader)
        if not isinstance(request, h11.Request):
            raise ConnectionResetError("the client closed without a request")
        body = b""
        while isinstance(part := await _event(connection, reader), h11.Data):
            body += part.data
            if len(body) > LONGEST_BODY:
                return refusal(413, f"cannot take more than {LONGEST_BODY} bytes")
        method, target = request.method.decode(), request.target.decode()
        reply = await handle(self.desk, method, target, body, self.door)
        if method == "POST":
            log.info("asked", of=target[:40], by_uid=_peer(writer), answer=reply[0])
        return reply


def _peer(writer: asyncio.StreamWriter) -> int:
    """The user id of whoever has connected, as the kernel knows it."""
    raw = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    _, uid, _ = struct.unpack("3i", raw)
    return int(uid)


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes what the client still sends: unread bytes would reset the connection before it reads."""
    writer.write_eof()
    async with asyncio.timeout(LINGER):
        while await reader.read(LONGEST_BODY):
            pass


async def _event(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(4096))
    return event


def _response(connection: h11.Connection, code: int, document: dict[str, object] | str) -> bytes:
    """A document as JSON; text as it is (metrics)."""
    text = isinstance(document, str)
    body = document.encode() if isinstance(document, str) else _json(document)
    headers = [
        ("Content-Type", "text/plain; version=0.0.4; charset=utf-8" if text else "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    parts = (
        h11.Response(status_code=code, headers=headers),
        h11.Data(data=body),
        h11.EndOfMessage(),
    )
    return b"".join(connection.send(part) or b"" for part in parts)


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document, allow_nan=False).encode() + b"\n"
