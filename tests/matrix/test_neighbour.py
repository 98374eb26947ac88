"""Users in threads: what they ask, and how they judge what comes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from tests.matrix.neighbour import Askers, User, plain, stream
from tests.support.scenario import until

CHUNK = {"choices": [{"delta": {"content": "word "}, "finish_reason": None}]}
LAST = {"choices": [{"delta": {}, "finish_reason": "length"}]}


def events(*bodies: object, done: bool = True) -> bytes:
    whole = b"".join(b"data: %s\n\n" % json.dumps(body).encode() for body in bodies)
    return whole + (b"data: [DONE]\n\n" if done else b"")


@asynccontextmanager
async def serving(reply: web.Response, seen: list[str] | None = None) -> AsyncIterator[int]:
    async def answer(request: web.BaseRequest) -> web.Response:
        if seen is not None:
            seen.append(request.headers["Host"])
        return web.Response(status=reply.status, body=reply.body)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def ended(user: User) -> User:
    async def over() -> bool:
        return user.ended is not None

    await until(over, "the request has ended", 10)
    return user


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (events(CHUNK, CHUNK, LAST), ""),
        (events(CHUNK, LAST), "token count"),
        (events(CHUNK, CHUNK, LAST, done=False), "no terminator"),
        (events(CHUNK, {"error": {"message": "it died"}}), "error event"),
    ],
)
async def test_a_stream_is_judged_by_its_end(body: bytes, problem: str) -> None:
    seen: list[str] = []
    async with serving(web.Response(body=body), seen) as port:
        user = await ended(User(stream(2), port, "a.example.com", exact=True).ask())
    assert user.cause == problem
    assert (problem in user.problem) if problem else user.problem == ""
    assert seen == ["a.example.com"]


async def test_a_plain_answer_needs_its_tokens() -> None:
    body = {"choices": [{"text": "a b", "finish_reason": "length"}], "usage": {"completion_tokens": 2}}
    async with serving(web.json_response(body)) as port:
        assert (await ended(User(plain(2), port, exact=True).ask())).problem == ""
        assert "token count" in (await ended(User(plain(3), port, exact=True).ask())).problem


async def test_what_is_no_answer_is_told() -> None:
    async with serving(web.Response(status=403)) as port:
        assert "status 403" in (await ended(User(plain(2), port).ask())).problem
    assert "connection broke" in (await ended(User(plain(2), port).ask())).problem
    assert "without its end" in User(plain(2), port).problem


async def test_askers_ask_until_they_are_told_to_end() -> None:
    async with serving(web.Response(status=503)) as port:
        crowd = Askers(port, "localhost", "/api/generate", lambda number: {"number": number}, count=2).ask()

        async def some() -> bool:
            return crowd.statuses[503] >= 4

        await until(some, "both have asked twice", 10)
        crowd.end()
        count = crowd.statuses.total()
    assert crowd.statuses == {503: count}
