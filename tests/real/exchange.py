"""A client that keeps what a program answers, made neutral as it comes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from tests.real import neutral
from tests.real.recording import Answer, Recording

from inferagent.lab.processes import Program

HOST = "127.0.0.1"
PLAINLY = {"Accept-Encoding": "identity"}
LINES = ("text/event-stream", "application/x-ndjson")


class Client:
    """Asks one running program; each answer is kept under its name."""

    def __init__(self, session: aiohttp.ClientSession, url: str, into: Recording) -> None:
        self.session, self.url, self.into = session, url, into

    async def ask(self, name: str, method: str, path: str, body: Any = None, **headers: str) -> int:
        """`body` is sent as JSON, bytes as they are. The status."""
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        given = {**PLAINLY, **({"Content-Type": "application/json"} if raw is not None else {}), **headers}
        async with self.session.request(method, f"{self.url}{path}", data=raw, headers=given) as response:
            self.into.answers[name] = await kept(f"{method} {path}", response)
            return response.status

    async def get(self, name: str, path: str, **headers: str) -> int:
        return await self.ask(name, "GET", path, **headers)

    async def post(self, name: str, path: str, body: Any, **headers: str) -> int:
        return await self.ask(name, "POST", path, body, **headers)

    async def metrics(self, name: str) -> None:
        async with self.session.get(f"{self.url}/metrics", headers=PLAINLY) as response:
            self.into.metrics[name] = neutral.metrics(await response.text())
            answer = Answer("GET /metrics", response.status, neutral.headers(response.headers), "metrics")
            self.into.answers[f"metrics {name}"] = answer

    async def quiet(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Asks and keeps nothing."""
        sent: dict[str, Any] = {} if body is None else {"json": body}
        async with self.session.request(method, f"{self.url}{path}", headers=headers, **sent) as response:
            return response.status, await response.read()


async def kept(asked: str, response: aiohttp.ClientResponse) -> Answer:
    """An answer that breaks off is kept as far as it came, with a last word that says so."""
    raw, cut = b"", False
    try:
        async for piece in response.content.iter_any():
            raw += piece
    except aiohttp.ClientPayloadError:
        cut = True
    body = read(raw.decode("utf-8", "replace"), response.content_type)
    if cut:
        body = [*(body if isinstance(body, list) else [body]), "BROKEN OFF"]
    return Answer(asked, response.status, neutral.headers(response.headers), body)


def read(text: str, kind: str) -> Any:
    """JSON where it is JSON, whatever the type says; streams as the list of their distinct pieces."""
    if kind in LINES:
        pieces = [line.removeprefix("data:").strip() for line in text.splitlines() if line.strip()]
        return distinct([parsed(piece) for piece in pieces])
    return neutral.body(parsed(text)) if parsed(text) != text else neutral.words(text)


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def distinct(pieces: list[Any]) -> list[Any]:
    """In their order; the many pieces that differ in their word alone are one."""
    found: list[Any] = []
    for piece in map(neutral.body, pieces):
        if not found or found[-1] != piece:
            found.append(piece)
    return found


@asynccontextmanager
async def running(
    command: list[str], environment: Mapping[str, str], log: Path, url: str, ready: str, seconds: float
) -> AsyncIterator[tuple[Program, aiohttp.ClientSession]]:
    """A program that answers 200 at `ready`; ended with all its session afterwards."""
    program = await Program.start(command, dict(environment), log)
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    try:
        async with aiohttp.ClientSession(connector=connector, headers=PLAINLY) as session:

            async def answers() -> bool:
                if program.exit_code is not None:
                    raise RuntimeError(f"{command[0]} has ended: {tail(log)}")
                try:
                    async with session.get(f"{url}{ready}") as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return False

            await until(answers, seconds)
            yield program, session
    finally:
        await program.end()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    pause = 0.02
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(pause)
            pause = min(1.0, pause * 1.1)


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-1500:]


async def exit_code(command: list[str], environment: Mapping[str, str], log: Path, seconds: float) -> int:
    """Of a program that ends by itself."""
    program = await Program.start(command, dict(environment), log)
    try:
        return await program.ended(seconds)
    finally:
        await program.end()
