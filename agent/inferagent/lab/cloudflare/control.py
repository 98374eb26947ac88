"""The lab's own door, outside of the API: faults, tokens, the state and the journals."""

import json
from dataclasses import asdict
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from inferagent.lab.cloudflare.errors import reasons
from inferagent.lab.cloudflare.faults import Fault
from inferagent.lab.cloudflare.gateway import Gateway

SECRET_KEYS = ("tunnel_secret",)
M = TypeVar("M", bound=BaseModel)


class TokenBody(BaseModel):
    """A token to add or to change, as POST /lab/tokens takes it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    value: str
    permissions: list[str]
    status: str = "active"
    user: str = "user-1"
    account_owned: bool = False
    expires_on: str = ""


class Control:
    """Handlers of /lab/…; a bad request is a 400 with the reason as text."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/lab/faults", self.add_fault),
            web.get("/lab/faults", self.list_faults),
            web.delete("/lab/faults", self.clear_faults),
            web.delete("/lab/faults/{fault}", self.remove_fault),
            web.post("/lab/tokens", self.add_token),
            web.get("/lab/state", self.state),
            web.get("/lab/journal", self.journal),
            web.get("/lab/requests", self.requests),
        ]

    async def add_fault(self, request: web.Request) -> web.Response:
        fault = await _read(request, Fault)
        return web.json_response({"id": self._gateway.faults.add(fault)})

    async def list_faults(self, _request: web.Request) -> web.Response:
        found = self._gateway.faults.in_force()
        return web.json_response({key: fault.model_dump() for key, fault in found.items()})

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._gateway.faults.clear()
        return web.json_response({})

    async def remove_fault(self, request: web.Request) -> web.Response:
        if not self._gateway.faults.remove(request.match_info["fault"]):
            raise web.HTTPNotFound(text="cannot find that fault")
        return web.json_response({})

    async def add_token(self, request: web.Request) -> web.Response:
        wanted = await _read(request, TokenBody)
        token = self._gateway.store.add_token(**wanted.model_dump())
        return web.json_response({"id": token.id})

    async def state(self, _request: web.Request) -> web.Response:
        return web.json_response(_without_secrets(self._gateway.store.snapshot()))

    async def journal(self, _request: web.Request) -> web.Response:
        writes = [asdict(write) for write in self._gateway.store.writes]
        return web.json_response(_without_secrets(writes))

    async def requests(self, _request: web.Request) -> web.Response:
        return web.json_response([asdict(seen) for seen in self._gateway.requests])


async def _read(request: web.Request, model: type[M]) -> M:
    try:
        return model.model_validate(json.loads(await request.read()))
    except ValidationError as error:
        raise web.HTTPBadRequest(text=f"cannot read the request: {reasons(error)}") from None
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"cannot read the request: {error}") from None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_secrets(v) for k, v in value.items() if k not in SECRET_KEYS}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value
