"""One HTTPS request, and the step at which it ends."""

import asyncio
import contextlib

import pytest
from aiohttp import web

from inferagent.adapters.hops.public import Question, Step, StepError, fetch, trust
from inferagent.lab.demo.world import free_ports
from inferagent.lab.edge.certificates import make_certificates, public_context
from inferagent.ports import PortError

HOST = "llm.example.com"


@contextlib.asynccontextmanager
async def serving(folder, name=HOST, handler=None):
    """HTTPS for that name; the authority's file and the port."""
    authority, _ = make_certificates(folder)

    async def answer(request):
        text = f"{request.method} {request.headers['Host']} {(await request.read()).decode()}"
        return web.Response(text=text, headers={"X-Seen": request.headers.get("X-Key", "")})

    runner = web.ServerRunner(web.Server(handler or answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=public_context(folder, (name,), "public")).start()
    try:
        yield authority, runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_get_with_its_headers(tmp_path):
    async with serving(tmp_path) as (authority, port):
        reply = await fetch(Question(HOST, "/", None, {"X-Key": "k"}), "127.0.0.1", port, trust(authority), 5)
    assert (reply.status, reply.text, reply.headers["x-seen"]) == (200, f"GET {HOST} ", "k")


async def test_a_post_with_json(tmp_path):
    async with serving(tmp_path) as (authority, port):
        reply = await fetch(Question(HOST, "/", {"a": 1}), "127.0.0.1", port, trust(authority), 5)
    assert reply.text == f'POST {HOST} {{"a": 1}}'
    assert reply.json() is None


async def test_nobody_listens(tmp_path):
    authority, _ = make_certificates(tmp_path)
    with pytest.raises(StepError) as caught:
        await fetch(Question(HOST, "/"), "127.0.0.1", free_ports(1)[0], trust(authority), 5)
    assert caught.value.step is Step.CONNECT


async def test_a_certificate_of_another_name(tmp_path):
    async with serving(tmp_path, "other.example.com") as (authority, port):
        with pytest.raises(StepError, match=r"cannot trust llm\.example\.com") as caught:
            await fetch(Question(HOST, "/"), "127.0.0.1", port, trust(authority), 5)
    assert caught.value.step is Step.TLS


async def test_a_certificate_that_nobody_vouches_for(tmp_path):
    async with serving(tmp_path) as (_, port):
        with pytest.raises(StepError) as caught:
            await fetch(Question(HOST, "/"), "127.0.0.1", port, trust(None), 5)
    assert caught.value.step is Step.TLS


async def test_silence_after_the_question(tmp_path):
    async def never(_request):
        await asyncio.sleep(30)

    async with serving(tmp_path, handler=never) as (authority, port):
        with pytest.raises(StepError, match="no answer") as caught:
            await fetch(Question(HOST, "/v1", {}), "127.0.0.1", port, trust(authority), 0.5)
    assert caught.value.step is Step.ANSWER


async def test_no_tls_at_all(tmp_path):
    authority, _ = make_certificates(tmp_path)

    over = asyncio.Event()

    async def greet(reader, writer):
        writer.write(b"hello\n" * 9)
        await reader.read()
        writer.transport.abort()
        over.set()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(StepError) as caught:
            await fetch(Question(HOST, "/"), "127.0.0.1", port, trust(authority), 2)
        await over.wait()
    assert caught.value.step is Step.TLS


def test_authorities_that_are_not_there(tmp_path):
    with pytest.raises(PortError, match="cannot read the authorities"):
        trust(tmp_path / "none.pem")
