"""Whether anybody listens at a port."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.unit.adapters.local_bench import LEAVES_SOCKETS, bench, closed_port, full_queue

from inferagent.adapters.knock import listens

pytestmark = LEAVES_SOCKETS


async def test_a_listener_is_found():
    async with bench() as server:
        assert await listens("127.0.0.1", server.port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_all_addresses_refuse(host):
    assert not await listens(host, closed_port())


async def test_no_answer_at_all_is_neither():
    with full_queue() as port, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await listens("127.0.0.1", port)


async def test_an_unknown_name_is_an_error():
    with pytest.raises(OSError, match=r"."):
        await listens("nobody.invalid", 1)


async def test_a_hanging_name_server_delays_no_numeric_address():
    """Each lookup of a name holds a thread of the loop's own pool, for as long as it takes."""
    loop, answer = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    lookup = loop.run_in_executor(None, answer.wait, 10)
    try:
        async with asyncio.timeout(2):
            assert not await listens("127.0.0.1", closed_port())
    finally:
        answer.set()
    assert await lookup
