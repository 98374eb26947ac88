"""A question to the agent's socket."""

import asyncio
import contextlib

import pytest

from inferagent.adapters.hops.unix_http import get
from inferagent.ports import PortError


@contextlib.asynccontextmanager
async def serving(folder, answer):
    over = asyncio.Event()

    async def reply(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await reader.read()  # until the caller gives up
        writer.write(answer or b"")
        writer.transport.close()
        over.set()

    server = await asyncio.start_unix_server(reply, folder / "control.sock")
    async with server, asyncio.timeout(5):
        yield folder / "control.sock"
        await over.wait()


def http(status, body):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


async def test_the_document(tmp_path):
    async with serving(tmp_path, http(200, '{"phase": "serving"}')) as path:
        assert await get(path, "/v1/status", 2) == {"phase": "serving"}


@pytest.mark.parametrize("answer", [http(500, "{}"), http(200, "[]"), http(200, "{"), b"hello\r\n\r\n", b""])
async def test_what_is_no_answer_of_the_agent(tmp_path, answer):
    async with serving(tmp_path, answer) as path:
        with pytest.raises(PortError, match="cannot understand"):
            await get(path, "/v1/status", 2)


async def test_nobody_there(tmp_path):
    with pytest.raises(PortError, match="no such file"):
        await get(tmp_path / "control.sock", "/v1/status", 1)


async def test_an_agent_that_is_silent(tmp_path):
    async with serving(tmp_path, None) as path:
        with pytest.raises(PortError, match="does not answer"):
            await get(path, "/v1/status", 0.2)
