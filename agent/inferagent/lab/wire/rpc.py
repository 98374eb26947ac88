"""Cap'n Proto over one HTTP/2 stream: a socket pair stands between the stream and the RPC library."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import capnp

from inferagent.lab.wire.stream import Stream, StreamFailedError

capnp.remove_import_hook()
SCHEMA: Any = capnp.load(str(Path(__file__).with_name("registration.capnp")))
RpcError: type[Exception] = capnp.KjException


@contextlib.asynccontextmanager
async def rpc_loop() -> AsyncIterator[None]:
    """Let RPC calls run on this event loop. May be nested; the outermost holds it."""
    async with contextlib.AsyncExitStack() as stack:
        # The library allows one per event loop and says so by RuntimeError.
        with contextlib.suppress(RuntimeError):
            await stack.enter_async_context(capnp.kj_loop())
        yield


@contextlib.asynccontextmanager
async def rpc_stream(stream: Stream) -> AsyncIterator[tuple[Any, "asyncio.Task[None]"]]:
    """An RPC transport whose bytes travel in `stream`, and a task that is done when the peer has ended it.

    The body must not raise: what it raises would come out as an ExceptionGroup.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours)
    transport = await capnp.AsyncIoStream.create_connection(sock=theirs)
    async with asyncio.TaskGroup() as tasks:
        pumps = [tasks.create_task(_out(reader, stream)), tasks.create_task(_in(stream, writer))]
        try:
            yield transport, pumps[1]
        finally:
            for pump in pumps:
                pump.cancel()
            transport.close()
            writer.close()


async def _out(reader: asyncio.StreamReader, stream: Stream) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            await stream.send(data)


async def _in(stream: Stream, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(StreamFailedError):
        while data := await stream.read():
            writer.write(data)
    writer.close()
