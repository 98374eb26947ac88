"""The HTTP face of the Ollama stand-in: generation, lists, and what every request goes through."""

from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from inferagent.lab.engines import ollama_bodies as bodies
from inferagent.lab.engines.knobs import answer_headers
from inferagent.lab.engines.loader import BusyError, Loader, RunnerError, Work
from inferagent.lab.engines.models import Model, Models
from inferagent.lab.engines.ollama_admin import Admin, RefusedError
from inferagent.lab.engines.ollama_env import Environment, admitted, duration, loopback
from inferagent.lab.engines.wire import answer, asked
from inferagent.lab.engines.words import prompt_tokens

HEADERS = answer_headers()
GENERATES = ("/api/generate", "/api/chat", "/v1/completions", "/v1/chat/completions")
BUSY = "server busy: as many requests wait as it lets wait"


class Server:
    """Handlers over one folder of models and their runners."""

    def __init__(self, environment: Environment, models: Models, loader: Loader) -> None:
        self.environment, self.models, self.loader = environment, models, loader
        self.guarded = loopback(environment.host)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.guard], client_max_size=1 << 32)
        app.on_response_prepare.append(self.sign)
        app.add_routes(
            [
                web.get("/", self.root),
                web.get("/api/version", self.version),
                web.get("/api/tags", self.tags),
                web.get("/api/ps", self.ps),
                web.get("/v1/models", self.shared_models),
                *(web.post(path, self.generate) for path in GENERATES),
                *Admin(self.models).routes(),
                web.route("*", "/{path:.*}", self.missing),
            ]
        )
        return app

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.guarded and not admitted(request.headers.get("Host", "")):
            return web.Response(status=403)
        try:
            return await handler(request)
        except RefusedError as refused:
            status, message = refused.status, refused.message
        except BusyError:
            status, message = 503, BUSY
        except RunnerError as died:
            status, message = 500, str(died)
        return answer(bodies.refusal(request.path, message, status), status=status)

    async def sign(self, request: web.Request, response: web.StreamResponse) -> None:
        """Its own API names a charset; so do refusals before a model was looked for, on either API."""
        response.headers.pop("Server", None)
        early = request.path.startswith("/api/") or response.status == 400
        if early and response.headers.get("Content-Type") == "application/json":
            response.headers["Content-Type"] = "application/json; charset=utf-8"
        response.headers.update(HEADERS)

    async def missing(self, request: web.Request) -> web.Response:
        if request.path in GENERATES:
            headers = {"Content-Type": "text/plain", "Allow": "POST"}
            return web.Response(body=b"405 method not allowed", status=405, headers=headers)
        return web.Response(body=b"404 page not found", status=404, headers={"Content-Type": "text/plain"})

    async def root(self, _request: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def version(self, _request: web.Request) -> web.Response:
        return answer({"version": bodies.VERSION})

    async def tags(self, _request: web.Request) -> web.Response:
        return answer({"models": [bodies.tag(model) for model in self.models.all()]})

    async def ps(self, _request: web.Request) -> web.Response:
        share = self.environment.vram
        listed = [one for one in self.loader.loaded.values() if one.ready]
        return answer({"models": [bodies.running(one, share) for one in listed]})

    async def shared_models(self, _request: web.Request) -> web.Response:
        common = {"object": "model", "created": 0, "owned_by": "library"}
        listed = [{"id": model.name, **common} for model in self.models.all()]
        return answer({"object": "list", "data": listed or None})

    async def generate(self, request: web.Request) -> web.StreamResponse:
        body = asked(await request.read())
        if body is None:
            raise RefusedError(400, "cannot read the body as a JSON object")
        name = str(body.get("model", ""))
        model = self.models.get(name)
        if model is None:
            raise RefusedError(404, f"model '{name}' not found")
        if not model.blob.is_file():
            raise RefusedError(400, f"cannot ask model '{name}': its file is not there")
        try:
            keep_alive = duration(body.get("keep_alive", self.environment.keep_alive))
        except ValueError as error:
            raise RefusedError(400, f"cannot read keep_alive: {error}") from None
        if request.path.startswith("/api/"):
            return await self.native(request, body, model, keep_alive)
        return await self.shared(request, body, model)

    def length(self, wanted: Any) -> tuple[int, str]:
        """How many tokens to make, and why the answer ends there."""
        if isinstance(wanted, int) and wanted > 0:
            return wanted, "length"
        return self.environment.default_tokens, "stop"

    async def native(
        self, request: web.Request, body: dict[str, Any], model: Model, keep_alive: float
    ) -> web.StreamResponse:
        chat = request.path == "/api/chat"
        prompt = body.get("messages" if chat else "prompt")
        if not prompt:
            return await self.only_load(chat, body, model, keep_alive)
        tokens, reason = self.length((body.get("options") or {}).get("num_predict"))
        face = bodies.Native(chat, body["model"], prompt_tokens(prompt), reason)
        async with self.loader.use(model, keep_alive) as (loaded, face.load_seconds):
            with loaded.work(tokens) as work:
                return await self.reply(request, face, work, body.get("stream", True))

    async def only_load(
        self, chat: bool, body: dict[str, Any], model: Model, keep_alive: float
    ) -> web.StreamResponse:
        """No prompt: the model is loaded, or with keep_alive 0 unloaded, and nothing is generated."""
        face = bodies.Native(chat, body["model"], 0, "unload" if keep_alive == 0 else "load")
        if keep_alive or model.digest in self.loader.loaded:
            async with self.loader.use(model, keep_alive):
                pass
        return answer({**face.said(""), "done": True, "done_reason": face.reason})

    async def shared(self, request: web.Request, body: dict[str, Any], model: Model) -> web.StreamResponse:
        chat = request.path == "/v1/chat/completions"
        tokens, reason = self.length(body.get("max_completion_tokens") or body.get("max_tokens"))
        usage = bool((body.get("stream_options") or {}).get("include_usage"))
        prompt = prompt_tokens(body.get("messages" if chat else "prompt", ""))
        face = bodies.Shared(chat, body["model"], prompt, reason, usage)
        async with self.loader.use(model, self.environment.keep_alive) as (loaded, _):
            with loaded.work(tokens) as work:
                return await self.reply(request, face, work, body.get("stream", False))

    async def reply(
        self, request: web.Request, face: bodies.Face, work: Work, stream: bool
    ) -> web.StreamResponse:
        """The status waits for the first token; a stream that breaks later says so and just ends."""
        made = await work.step()
        if not stream:
            while made:
                made = await work.step()
            return answer(face.whole(work))
        response = web.StreamResponse(headers={"Content-Type": face.kind})
        await response.prepare(request)
        try:
            while made:
                spread = range(work.count - made, work.count)
                await response.write(b"".join(face.token(index) for index in spread))
                made = await work.step()
            end = face.closing(work)
        except RunnerError as died:
            end = face.broken(str(died))
        await response.write(end)
        await response.write_eof()
        return response
