"""A web receiver on this host: keeps what it is sent and answers as it is told, well-formed or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class WebReceiver:
    """`says` is sent as it is once the whole request is there; None: nothing, and the connection stays open.

    `endless`: after `says`, more and more. `taken`: the bodies; `heads`: what came before them.
    """

    says: bytes | None = OK
    endless: bool = False
    port: int = 0
    taken: list[bytes] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/T0-SECRET?key=SECRET"

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator["WebReceiver"]:
        server = await asyncio.start_server(self._receive, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._open):
                writer.close()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=5.0)

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-l")
            )
            self.taken.append(await reader.readexactly(length))
            self.heads.append(head)
            if self.says is None:
                await reader.read()
                return
            writer.write(self.says)
            while self.endless:
                writer.write(b"x" * 4096)
                await writer.drain()
                await asyncio.sleep(0.005)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self._open.discard(writer)
            writer.close()
