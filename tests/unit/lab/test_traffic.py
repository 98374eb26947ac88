"""Traffic against a small server that fails in each way that counts."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from inferagent.lab import traffic as module
from inferagent.lab.traffic import Traffic, drive
from inferagent.lab.traffic_judge import Kind

PLAIN = Kind("plain", "/v1/completions", False, 2, 1.0)
STREAM = Kind("stream", "/v1/chat/completions", True, 2, 1.0)


class Endpoint:
    """Answers well, or as `way` says; remembers what it was asked."""

    def __init__(self, way=""):
        self.way, self.asked = way, []

    async def answer(self, request):
        body = await request.json()
        self.asked.append((request.headers["Host"], body))
        if self.way == "slow":
            await asyncio.sleep(30)
        if self.way == "status":
            return web.Response(status=502)
        headers = {"X-Lab-Host": "gpu-home"}
        tokens = body["max_tokens"] - (self.way == "count")
        if not body["stream"]:
            whole = {
                "choices": [{"text": "a b", "finish_reason": "length"}],
                "usage": {"completion_tokens": tokens},
            }
            return web.json_response(whole, headers=headers)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        if self.way == "cut":
            await response.write(b"data: {")
            request.transport.abort()
            return response
        await response.write(b"".join(self.events(tokens)))
        return response

    def events(self, tokens):
        for index in range(tokens):
            reason = "length" if index == tokens - 1 else None
            chunk = {"choices": [{"delta": {"content": "a"}, "finish_reason": reason}]}
            yield f"data: {json.dumps(chunk)}\n\n".encode()
        if self.way == "error":
            yield b'data: {"error": {"message": "dead"}}\n\n'
        else:
            yield b'data: {"choices": [], "usage": {"completion_tokens": %d}}\n\n' % tokens
        if self.way != "unended":
            yield b"data: [DONE]\n\n"


@asynccontextmanager
async def serving(way=""):
    endpoint = Endpoint(way)
    app = web.Application()
    app.router.add_post("/v1/{path:.*}", endpoint.answer)
    server = TestServer(app, host="127.0.0.1")
    async with server:
        yield endpoint, f"http://127.0.0.1:{server.port}"


async def causes(way, kind):
    async with serving(way) as (_, url):
        tally = await drive(Traffic(url, "chat", [kind], rate=50), 0.1)
    assert tally.sent == tally.failed > 0
    return set(tally.by_cause)


@pytest.mark.parametrize(
    ("way", "kind", "cause"),
    [
        ("status", PLAIN, "status 502"),
        ("status", STREAM, "status 502"),
        ("count", PLAIN, "token count"),
        ("count", STREAM, "token count"),
        ("error", STREAM, "error event"),
        ("unended", STREAM, "no terminator"),
        ("cut", STREAM, "no terminator"),
        ("slow", Kind("plain", "/v1/completions", False, 2, 0.2), "too slow"),
    ],
)
async def test_each_failure_has_its_word(way, kind, cause):
    assert await causes(way, kind) == {cause}


async def test_nobody_there_is_a_connection_failure():
    async with serving() as (_, url):
        pass
    tally = await drive(Traffic(url, "chat", [PLAIN, STREAM], rate=50), 0.1)
    assert set(tally.by_cause) == {"connection"}


async def test_a_steady_mix_that_succeeds():
    kinds = [
        Kind("plain", "/v1/completions", False, 2, 5.0, 3.0),
        Kind("stream", "/v1/chat/completions", True, 2, 5.0),
    ]
    async with serving() as (endpoint, url):
        traffic = Traffic(url, "chat", kinds, rate=40, host="llm.example.com")
        begun = time.monotonic()
        tally = await drive(traffic, 0.49)
    assert time.monotonic() - begun < 5
    assert (tally.failed, tally.by_cause, tally.by_host) == (0, {}, {"gpu-home": tally.sent})
    assert 10 <= tally.sent <= 21
    assert {host for host, _ in endpoint.asked} == {"llm.example.com"}
    streams = sum(body["stream"] for _, body in endpoint.asked)
    assert abs(streams - tally.sent / 4) <= 1
    assert (len(traffic.outcomes), traffic.under_way) == (tally.sent, {})


async def test_a_window_holds_what_ended_in_it():
    async with serving() as (_, url):
        traffic = Traffic(url, "chat", [PLAIN], rate=50)
        async with asyncio.TaskGroup() as group:
            traffic.start(group)
            await asyncio.sleep(0.2)  # the length of the first window
            middle = time.monotonic()
            await asyncio.sleep(0.2)  # the length of the second window
            await traffic.stop()
    before, after = traffic.tally(until=middle), traffic.tally(since=middle)
    assert before.sent > 0 < after.sent
    assert before.sent + after.sent == traffic.sent


async def test_stop_waits_for_what_is_under_way():
    async with serving("slow") as (_, url), asyncio.TaskGroup() as group:
        traffic = Traffic(url, "chat", [Kind("plain", "/v1/completions", False, 2, 0.3)], rate=100)
        traffic.start(group)
        await asyncio.sleep(0.05)  # long enough to have begun, at 100 a second
        assert traffic.under_way
        await traffic.stop()
        assert not traffic.under_way
        assert traffic.tally().by_cause == {"too slow": traffic.sent}


async def test_the_command_prints_a_summary(capsys):
    async with serving() as (_, url):
        line = f"--url {url} --model chat --rate 20 --seconds 0.2 --tokens 2 --stream-tokens 2"
        await asyncio.to_thread(module.main, line.split())
    summary = json.loads(capsys.readouterr().out)
    assert (summary["failed"], summary["by_host"]) == (0, {"gpu-home": summary["sent"]})
