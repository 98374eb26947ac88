"""Six sockets that stand in for the privileged verbs: what is asked is counted, and answered as told."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

OK = {"ok": True, "message": ""}


class FakeVerbs:
    """`answers`: by the socket's name; bytes are sent as they are. `deeds`: done before the answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {}
        self.deeds: dict[str, Callable[[], None]] = {}
        self.at_once = 0
        self._now = 0
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        self.folder.mkdir()
        for part in ("engine", "connector"):
            for verb in ("start", "stop", "restart"):
                name = f"{part}-{verb}"
                serve = partial(self._serve, name)
                self._servers.append(await asyncio.start_unix_server(serve, self.folder / f"{name}.sock"))
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()

    async def _serve(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(name)
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        await asyncio.sleep(0.01)
        if name in self.deeds:
            self.deeds[name]()
        answer = self.answers.get(name, OK)
        if answer is not None:
            writer.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n")
            writer.close()
        self._now -= 1
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
