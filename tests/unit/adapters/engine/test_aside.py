"""Blocking reads that end, fail, and hang."""

import asyncio
import threading

import pytest
from tests.unit.adapters.local_bench import until

from inferagent.adapters.engine.aside import Aside
from inferagent.ports import PortError


async def test_a_result_comes_back():
    assert await Aside("x").read(lambda: 3, 2.0) == 3


async def test_an_os_error_is_a_port_error():
    def fail() -> int:
        raise PermissionError(1, "not allowed")

    with pytest.raises(PortError, match=r"cannot read the thing: .*not allowed"):
        await Aside("the thing").read(fail, 2.0)


async def test_a_hanging_read_is_given_up_and_not_begun_twice():
    go, begun = threading.Event(), []

    def hang() -> int:
        begun.append(1)
        go.wait(10)
        return 1

    aside = Aside("x")
    with pytest.raises(PortError, match="no end after"):
        await aside.read(hang, 0.1)
    with pytest.raises(PortError, match="still hangs"):
        await aside.read(hang, 0.1)
    assert begun == [1]
    go.set()
    await until(lambda: not [one for one in threading.enumerate() if one.name == "reads x"])
    assert await aside.read(lambda: 2, 2.0) == 2


async def test_a_cancelled_caller_leaves_the_thread_alone():
    go = threading.Event()
    aside = Aside("y")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await aside.read(lambda: go.wait(10), 5.0)
    go.set()
    await until(lambda: not [one for one in threading.enumerate() if one.name == "reads y"])
    assert await aside.read(lambda: 2, 2.0) == 2


async def test_reads_at_the_same_time_take_turns():
    """Two model names are asked for at once, each with a look at the sockets."""
    go = threading.Event()
    aside = Aside("z")
    async with asyncio.TaskGroup() as group:
        first = group.create_task(aside.read(lambda: go.wait(5) and 1, 2.0))
        second = group.create_task(aside.read(lambda: 2, 2.0))
        await until(lambda: any(one.name == "reads z" for one in threading.enumerate()))
        go.set()
    assert (first.result(), second.result()) == (1, 2)


async def test_one_read_follows_the_other_at_once():
    aside = Aside("w")
    assert [await aside.read(lambda n=number: n, 2.0) for number in range(200)] == list(range(200))
