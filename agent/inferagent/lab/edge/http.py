"""The edge's control surface over HTTP, to be mounted beside the account's own lab door."""

import json

from aiohttp import web

from inferagent.lab.edge.control import BadCommandError, Edge


def edge_routes(edge: Edge) -> list[web.RouteDef]:
    """GET /lab/edge: the status. POST /lab/edge: one order of Edge.command, answered with the status."""

    async def status(_request: web.Request) -> web.Response:
        return web.json_response(edge.status())

    async def command(request: web.Request) -> web.Response:
        try:
            order = json.loads(await request.read())
            if not isinstance(order, dict):
                raise BadCommandError("cannot read the order: it is no JSON object")
            return web.json_response(await edge.command(order))
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from error

    return [web.get("/lab/edge", status), web.post("/lab/edge", command)]
