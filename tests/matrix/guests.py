"""Users of something else on the same tunnel: another hostname, beside the users of the models."""

import asyncio
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import Kind

EXPECTED = {"slow": 200, "broken": 502}


@dataclass
class Guests(Traffic):
    """They GET, and ask for nothing but the status that EXPECTED says of their kind.

    `beside`: others who come and go with them, whose outcomes stand with theirs.
    """

    beside: Traffic | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        super().start(group)
        if self.beside:
            self.beside.outcomes = self.outcomes
            self.beside.start(group)

    async def stop(self) -> None:
        if self.beside:
            await self.beside.stop()
        await super().stop()

    async def _ask(self, session: aiohttp.ClientSession, kind: Kind, host: list[str]) -> str:
        async with session.get(f"{self.url}{kind.path}", headers={"Host": self.host}) as answer:
            await answer.read()
            return "" if answer.status == EXPECTED[kind.name] else f"{kind.name}: status {answer.status}"


@dataclass
class Savers(Guests):
    """Somebody's automation, which saves one and the same thing (`body`) with a PUT, again and again."""

    token: str = ""
    body: object = None

    async def _ask(self, session: aiohttp.ClientSession, kind: Kind, host: list[str]) -> str:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with session.put(f"{self.url}{kind.path}", json=self.body, headers=headers) as answer:
            await answer.read()
            return "" if answer.status == 200 else f"{kind.name}: status {answer.status}"


class Elsewhere:
    """A web server that is nobody's engine: /slow takes its time, everything else is broken."""

    def __init__(self, seconds: float) -> None:
        self.url = ""
        self._seconds = seconds
        self._runner: web.ServerRunner | None = None

    async def listen(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/slow":
            return web.Response(status=502)
        await asyncio.sleep(self._seconds)
        return web.Response(text="done\n")
