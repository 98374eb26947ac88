"""Every way in which the daemon may fail to answer has its own name, and none outlasts the deadline."""

import asyncio
import os
import socket
from contextlib import asynccontextmanager

import pytest

from inferagent.adapters.docker.wire import Ask, DaemonError, RefusedError, Trouble, exchange

ASK = Ask("look", "GET", "/containers/vllm/json", deadline=5.0)
SOON = Ask("look", "GET", "/containers/vllm/json", deadline=0.2)


async def trouble(path, ask=ASK):
    with pytest.raises(DaemonError) as told:
        async with asyncio.timeout(3.0):
            await exchange(path, ask)
    assert str(told.value).startswith("cannot look: ")
    return told.value.trouble


async def test_the_body_of_an_answer(daemon):
    daemon.add()
    assert b'"Name": "/vllm"' in await exchange(daemon.socket, ASK)


async def test_a_no_is_told_in_the_daemons_words(daemon):
    with pytest.raises(RefusedError, match="docker says: No such container: vllm") as told:
        await exchange(daemon.socket, ASK)
    assert (told.value.status, told.value.refused) == (404, True)


async def test_a_fault_of_the_daemon_is_no_refusal(daemon):
    daemon.says["/json"] = (500, b"oops")
    with pytest.raises(RefusedError, match="docker says: 500") as told:
        await exchange(daemon.socket, ASK)
    assert not told.value.refused


async def test_a_daemon_that_hangs(daemon):
    daemon.stalls.add("/json")
    assert await trouble(daemon.socket, SOON) is Trouble.SILENT


@asynccontextmanager
async def dripping(path):
    """Whoever connects gets a begin, and then one drop after the other."""
    over = asyncio.Event()

    async def drip(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.01)
        writer.close()
        over.set()

    async with await asyncio.start_unix_server(drip, path):
        yield
        async with asyncio.timeout(5.0):
            await over.wait()


async def test_an_answer_that_never_ends_is_no_answer(tmp_path):
    async with dripping(tmp_path / "s"):
        assert await trouble(tmp_path / "s", SOON) is Trouble.SILENT


async def test_nobody_who_accepts(tmp_path):
    """As a socket that systemd holds while the daemon is stopped: one connects, and nothing comes."""
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(tmp_path / "s"))
        held.listen()
        assert await trouble(tmp_path / "s", SOON) is Trouble.SILENT


@pytest.mark.parametrize(
    "raw", [b"\x00\x01nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"HTTP/1.1"]
)
async def test_what_is_no_answer(daemon, raw):
    daemon.raw = raw
    assert await trouble(daemon.socket) is Trouble.STRANGE


async def test_no_daemon(tmp_path):
    assert await trouble(tmp_path / "nobody") is Trouble.AWAY
    (tmp_path / "file").touch()
    assert await trouble(tmp_path / "file") is Trouble.AWAY


async def test_a_socket_that_is_not_ours(daemon):
    daemon.socket.chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        assert await trouble(daemon.socket) is Trouble.DENIED
    finally:
        os.seteuid(before)
