"""The way from one host's connector to the edge, byte by byte, so that it can be lost for this host alone."""

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Literal

State = Literal["open", "refuse", "hang", "mute"]
PIECE = 1 << 16

Address = tuple[str, int]
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Gate:
    """One address of the edge, as that host sees it.

    refuse: connections are cut, nothing listens · hang: cut, new ones are taken and get no word · mute:
    nothing is cut and nothing passes, as where a router drops packets; what was held passes once it is open.
    """

    edge: Address
    host: str
    port: int = 0
    state: State = "open"
    _server: asyncio.Server | None = None
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _empty: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    async def listen(self) -> None:
        self._open.set()
        self._server = await asyncio.start_server(self._taken, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def set(self, state: State) -> None:
        was, self.state = self.state, state
        if state == "refuse":
            self._end_server()
        elif was == "refuse":
            await self.listen()
        if state in ("refuse", "hang"):
            for writer in list(self._writers):
                writer.transport.abort()
        if state == "open":
            self._open.set()
        else:
            self._open.clear()

    async def close(self) -> None:
        """Returns once every task that waited here has ended."""
        self._end_server()
        self._open.set()
        for writer in list(self._writers):
            writer.transport.abort()
        if self._writers:
            self._empty.clear()
            await self._empty.wait()

    def _end_server(self) -> None:
        if self._server:
            self._server.close()
            self._server = None

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._open.wait()
            with suppress(OSError):
                await self._carry((reader, writer))
        finally:
            self._end(writer)

    async def _carry(self, here: Pair) -> None:
        there = await asyncio.open_connection(*self.edge)
        self._writers.add(there[1])
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass(here[0], there[1]))
                ways.create_task(self._pass(there[0], here[1]))
        finally:
            self._end(there[1])

    def _end(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        self._writers.discard(writer)
        if not self._writers:
            self._empty.set()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """An end on one side is an end on the other; what is lost is lost on both."""
        with suppress(OSError):
            while data := await reader.read(PIECE):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
            await self._open.wait()
        writer.close()


@dataclass
class Gates:
    """`count` ways to the edge, each at a loopback address of its own: one connection of a connector each."""

    all: list[Gate]

    @classmethod
    async def to(cls, edges: list[str], count: int, endings: AsyncExitStack) -> "Gates":
        """They end with `endings`."""
        targets = [(host, int(port)) for host, _, port in (edge.rpartition(":") for edge in edges)]
        gates = [Gate(targets[n % len(targets)], f"127.0.0.{n + 11}") for n in range(count)]
        for gate in gates:
            await gate.listen()
            endings.push_async_callback(gate.close)
        return cls(gates)

    @property
    def addresses(self) -> list[str]:
        return [gate.address for gate in self.all]

    async def set(self, state: State, first: int | None = None) -> None:
        """`first`: only so many of them."""
        for gate in self.all[:first]:
            await gate.set(state)
