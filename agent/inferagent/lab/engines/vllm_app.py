"""The HTTP face of the vLLM stand-in: every path that the agent, an edge or a user asks for."""

import hmac
import os
import time
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from inferagent.lab.engines import vllm_bodies as bodies
from inferagent.lab.engines.exposition_page import page
from inferagent.lab.engines.http_counts import HttpCounts
from inferagent.lab.engines.knobs import answer_headers
from inferagent.lab.engines.link import EngineDeadError, Link, Request
from inferagent.lab.engines.vllm_options import Options
from inferagent.lab.engines.wire import DONE, answer, asked, event
from inferagent.lab.engines.words import prompt_tokens

HEADERS = answer_headers()


class RefusedError(Exception):
    """The request is answered with this error body, whose code is the status."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body["error"]["message"])
        self.body = body


class Server:
    """Handlers over one engine."""

    def __init__(self, options: Options, engine: Link) -> None:
        self.options, self.engine = options, engine
        self.created = int(time.time())
        self.leaving = False
        self.hanging = os.environ.get("LAB_SIGTERM", "") == "hang"
        self.load = 0
        self.http = HttpCounts()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.count, self.guard], client_max_size=1 << 26)
        app.on_response_prepare.append(self.sign)
        app.add_routes(
            [
                web.get("/health", self.health),
                web.get("/ping", self.health),
                web.get("/version", self.version),
                web.get("/load", self.server_load),
                web.get("/metrics", self.metrics),
                web.get("/v1/models", self.models),
                web.post("/v1/completions", self.generate),
                web.post("/v1/chat/completions", self.generate),
            ]
        )
        return app

    @web.middleware
    async def count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.monotonic()
        response: web.StreamResponse | None = None
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = answer({"detail": error.reason}, status=error.status)
            response.headers.update({name: error.headers[name] for name in error.headers.keys() & {"Allow"}})
        finally:
            resource = request.match_info.route.resource
            place = resource.canonical if resource is not None else "none"
            status, size = (response.status, response.body_length) if response is not None else (500, 0)
            asked, took = request.content_length or 0, time.monotonic() - begun
            self.http.take(place, request.method, status, asked, size, took)
        return response

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The key guards /v1 and nothing else, as in the real one."""
        key = self.options.api_key
        if key and request.path.startswith("/v1"):
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
                return answer({"error": "Unauthorized"}, status=401)
        try:
            return await handler(request)
        except RefusedError as refused:
            return answer(refused.body, status=refused.body["error"]["code"])

    async def sign(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "uvicorn"
        outermost = response.status == 401 or (self.leaving and response.status == 500)
        if not outermost:  # answered before or behind what adds it
            response.headers["Vary"] = "Origin"
        response.headers.update(HEADERS)

    async def health(self, _request: web.Request) -> web.Response:
        return web.Response(status=503 if self.engine.dead else 200)

    async def version(self, _request: web.Request) -> web.Response:
        return answer({"version": bodies.VERSION})

    async def server_load(self, _request: web.Request) -> web.Response:
        return answer({"server_load": self.load if self.options.track_load else 0})

    async def metrics(self, _request: web.Request) -> web.Response:
        counters = None if self.options.disable_log_stats else self.engine.counters
        text = page(counters, self.options.names[0], self.http)
        kind = "text/plain; version=1.0.0; charset=utf-8"
        return web.Response(body=text.encode(), headers={"Content-Type": kind})

    async def models(self, _request: web.Request) -> web.Response:
        options = self.options
        body = bodies.models(options.names, options.model, options.max_model_len, self.created)
        return answer(body)

    async def wanted(self, request: web.Request) -> dict[str, Any]:
        """The body of a generation that can be served; raises the refusal of one that cannot."""
        body = asked(await request.read())
        if body is None:
            why = "cannot read the body as a JSON object"
            raise RefusedError(bodies.error(why, "Bad Request", 400, "body.1"))
        if request.path.endswith("/chat/completions") and "messages" not in body:
            raise RefusedError(bodies.error("cannot chat: no messages", "Bad Request", 400, "body.messages"))
        names = self.options.names
        model = body.setdefault("model", names[0])
        if model not in names:
            message = f"The model `{model}` does not exist. Valid aliases: {', '.join(names)}."
            raise RefusedError(bodies.error(message, "NotFoundError", 404, "model"))
        tokens = body.get("max_completion_tokens") or body.get("max_tokens", 16)
        if not isinstance(tokens, int) or not 0 < tokens <= self.options.max_model_len:
            message = f"max_tokens must be 1 to {self.options.max_model_len}, got {tokens}"
            raise RefusedError(bodies.error(message, "BadRequestError", 400, "max_tokens"))
        if self.leaving:
            raise RefusedError(bodies.LEAVING)
        return {**body, "max_tokens": tokens}

    async def generate(self, request: web.Request) -> web.StreamResponse:
        body = await self.wanted(request)
        chat = request.path.endswith("/chat/completions")
        prompt = prompt_tokens(body.get("messages" if chat else "prompt", ""))
        face = bodies.Answer(chat, body["model"], prompt)
        self.load += 1
        try:
            with self.engine.request(prompt, body["max_tokens"]) as work:
                if body.get("stream"):
                    face.with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
                    return await self.stream(request, work, face)
                while await work.step():
                    pass
                return answer(face.whole(work.count))
        except EngineDeadError:
            raise RefusedError(bodies.DEAD) from None
        finally:
            self.load -= 1

    async def stream(self, request: web.Request, work: Request, face: bodies.Answer) -> web.StreamResponse:
        """Once begun, a stream whose engine dies says so in an event and ends like a good one."""
        kind = {"Content-Type": "text/event-stream; charset=utf-8"}
        response = web.StreamResponse(headers=kind)
        await response.prepare(request)
        events = [event(chunk) for chunk in face.opening()]
        try:
            while made := await work.step():
                spread = range(work.count - made, work.count)
                events += [event(face.token(index, index == work.tokens - 1)) for index in spread]
                await response.write(b"".join(events))
                events = []
            end = event(face.closing(work.count)) if face.with_usage else b""
        except EngineDeadError:
            end = event(bodies.DEAD)
        await response.write(end + DONE)
        await response.write_eof()
        return response
