"""How the Ollama stand-in's models come and go: pull, create, copy, delete, blobs."""

import asyncio
import hashlib
from typing import Any

from aiohttp import web

from inferagent.lab.engines.knobs import names, number
from inferagent.lab.engines.models import MADE_UP_BYTES, Models
from inferagent.lab.engines.wire import asked, line

STEPS = 5


class RefusedError(Exception):
    """The request is answered with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


async def body_of(request: web.Request) -> dict[str, Any]:
    body = asked(await request.read())
    if body is None:
        raise RefusedError(400, "cannot read the body as a JSON object")
    return body


class Admin:
    """LAB_PULLABLE lists what can be pulled (anything when unset), LAB_PULL_SECONDS how long it takes."""

    def __init__(self, models: Models) -> None:
        self.models = models

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/pull", self.pull),
            web.post("/api/create", self.create),
            web.post("/api/copy", self.copy),
            web.delete("/api/delete", self.delete),
            web.post("/api/blobs/{digest}", self.blob),
        ]

    def checked(self, name: str) -> str:
        try:
            self.models.manifest(name)
        except ValueError as error:
            raise RefusedError(400, str(error)) from None
        return name

    async def pull(self, request: web.Request) -> web.StreamResponse:
        body = await body_of(request)
        name = self.checked(str(body.get("model") or body.get("name", "")))
        pullable = names("LAB_PULLABLE")
        said: list[dict[str, Any]] = [{"status": "pulling manifest"}]
        if pullable and name not in pullable:
            return await self.tell(request, [*said, {"error": "cannot pull: no such model"}], 0)
        self.models.make_up(name)
        part = MADE_UP_BYTES // STEPS
        common = {"status": "downloading", "total": part * STEPS}
        said += [{**common, "completed": part * (step + 1)} for step in range(STEPS)]
        return await self.tell(request, [*said, {"status": "success"}], number("LAB_PULL_SECONDS", 0.0))

    async def create(self, request: web.Request) -> web.StreamResponse:
        body = await body_of(request)
        name = self.checked(str(body.get("model") or body.get("name", "")))
        files = [str(digest).removeprefix("sha256:") for digest in (body.get("files") or {}).values()]
        if body.get("from"):
            source = self.models.get(str(body["from"]))
            if source is None:
                raise RefusedError(404, f"model '{body['from']}' not found")
            files = [source.digest]
        if not files or not self.models.blob(files[0]).is_file():
            raise RefusedError(400, "cannot create a model from nothing: give 'from' or 'files'")
        self.models.put(name, files[0])
        return await self.tell(request, [{"status": "writing manifest"}, {"status": "success"}], 0)

    async def tell(
        self, request: web.Request, said: list[dict[str, Any]], seconds: float
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for status in said:
            await asyncio.sleep(seconds / len(said))
            await response.write(line(status))
        await response.write_eof()
        return response

    async def copy(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        source = self.models.get(str(body.get("source", "")))
        target = self.checked(str(body.get("destination", "")))
        if source is None:
            raise RefusedError(404, f"model '{body.get('source')}' not found")
        self.models.put(target, source.digest)
        return web.Response()

    async def delete(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        name = str(body.get("model") or body.get("name", ""))
        if self.models.get(name) is None:
            raise RefusedError(404, f"model '{name}' not found")
        self.models.delete(name)
        return web.Response()

    async def blob(self, request: web.Request) -> web.Response:
        content = await request.read()
        if request.match_info["digest"] != f"sha256:{hashlib.sha256(content).hexdigest()}":
            raise RefusedError(400, "cannot keep a blob whose digest differs")
        self.models.store(content)
        return web.Response(status=201)
