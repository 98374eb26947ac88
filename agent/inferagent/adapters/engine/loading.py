"""Have Ollama load a model, by a request that is kept open for as long as the load takes.

Ollama gives up a load when the client that asked for it goes away, so a generation with a deadline would
break off every load that takes longer, and a big model would never be proven. A load that its caller cannot
wait for stays open here, and the next caller goes on waiting for it.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field

import h11

from inferagent.adapters.engine.generation import Asked, judge_status
from inferagent.adapters.local_http import Answer
from inferagent.model.engine import Outcome

MAX_BYTES = 64 << 10


@dataclass(slots=True)
class _Load:
    """One open request; what has come of the answer is kept when a caller stops waiting."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    wire: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    status: int = 0
    body: bytes = b""

    async def answer(self) -> Answer:
        """Safe to cancel and to call again; OSError or h11.ProtocolError when it broke off."""
        while True:
            event = self.wire.next_event()
            if event is h11.NEED_DATA:
                self.wire.receive_data(await self.reader.read(MAX_BYTES))
            elif isinstance(event, h11.Response):
                self.status = event.status_code
            elif isinstance(event, h11.Data):
                self.body = (self.body + bytes(event.data))[:MAX_BYTES]
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed | type(h11.PAUSED)):
                return Answer(self.status, self.body)

    def close(self) -> None:
        self.writer.close()


@dataclass(slots=True)
class Loader:
    """At most one open load a model."""

    host: str
    port: int
    _open: dict[str, _Load] = field(default_factory=dict)

    async def load(self, name: str, timeout: float) -> Asked:
        """OK when the engine says that the model is loaded; UNANSWERED when it is still at it."""
        try:
            async with asyncio.timeout(timeout):
                return await self._load(name)
        except TimeoutError:
            return Asked(Outcome.UNANSWERED, f"{name}: still loading after {timeout:.0f} s")
        except ConnectionRefusedError:
            self._drop(name)
            return Asked(Outcome.WRONG, f"{name}: cannot load, the port refuses")
        except (OSError, h11.ProtocolError) as error:
            self._drop(name)
            return Asked(Outcome.WRONG, f"{name}: cannot load: {error or 'the connection broke'}")

    async def _load(self, name: str) -> Asked:
        left = self._open.get(name)
        if left is not None:
            answer = await left.answer()
            self._drop(name)
            if answer.status != 200:
                return judge_status(name, answer)
            # Loaded, but nobody knows when: it may be unloaded again, so it is asked once more.
        self._open[name] = load = await self._begin(name)
        answer = await load.answer()
        self._drop(name)
        return judge_status(name, answer)

    async def _begin(self, name: str) -> _Load:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        load = _Load(reader, writer)
        body = json.dumps({"model": name, "stream": False}).encode()
        head = h11.Request(
            method="POST",
            target="/api/generate",
            headers=[
                ("host", "localhost"),
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ],
        )
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(load.wire.send(event) or b"")
        return load

    def _drop(self, name: str) -> None:
        load = self._open.pop(name, None)
        if load is not None:
            load.close()

    async def aclose(self) -> None:
        """Gives up every open load."""
        loads, self._open = list(self._open.values()), {}
        for load in loads:
            load.close()
            with suppress(OSError):
                await load.writer.wait_closed()
