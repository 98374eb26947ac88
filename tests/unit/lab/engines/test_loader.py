"""Loading on demand, the line in front of a model, and unloading."""

import asyncio
import signal

import pytest

from inferagent.lab.engines.loader import BusyError, RunnerError
from inferagent.lab.processes import kill, look


async def generate(loader, model, tokens=3, keep_alive=60.0):
    async with loader.use(model, keep_alive) as (loaded, _):
        with loaded.work(tokens) as work:
            while await work.step():
                pass
    return work.count


def only(loader):
    (loaded,) = loader.loaded.values()
    return loaded


async def test_a_model_is_loaded_once(loader):
    async with loader() as (loading, model):
        assert await generate(loading, model) == 3
        pid = only(loading).child.pid
        assert await generate(loading, model) == 3
        assert only(loading).child.pid == pid


async def test_requests_stand_in_line_and_no_longer_than_allowed(loader, until):
    async with loader(OLLAMA_MAX_QUEUE="1", LAB_TOKENS_PER_SECOND="50") as (loading, model):
        async with loading.use(model, 60.0), asyncio.TaskGroup() as group:
            line = [group.create_task(generate(loading, model)) for _ in range(2)]
            await until(lambda: loading.waiting == 2)
            with pytest.raises(BusyError):
                await generate(loading, model)
            assert not any(task.done() for task in line)
            group.create_task(leave_line(line))
        assert loading.waiting == 0


async def leave_line(line):
    for task in line:
        task.cancel()


async def test_who_leaves_the_line_leaves_no_trace(loader, until):
    async with loader() as (loading, model):
        async with loading.use(model, 60.0), asyncio.TaskGroup() as group:
            waiting = group.create_task(generate(loading, model))
            await until(lambda: loading.waiting == 1)
            waiting.cancel()
        assert (loading.waiting, only(loading).users) == (0, 0)
        assert await generate(loading, model) == 3


async def test_more_at_once_with_more_slots(loader):
    async with loader(OLLAMA_NUM_PARALLEL="2") as (loading, model), loading.use(model, 60.0):
        assert await generate(loading, model) == 3


async def test_keep_alive_ends_the_runner(loader, until):
    async with loader() as (loading, model):
        await generate(loading, model, keep_alive=0.1)
        pid = only(loading).child.pid
        await until(lambda: not loading.loaded)
        await until(lambda: (found := look(pid)) is None or found.state == "Z")
        assert await generate(loading, model, keep_alive=0.0) == 3
        assert not loading.loaded


async def test_a_new_use_renews_keep_alive(loader):
    async with loader() as (loading, model):
        await generate(loading, model, keep_alive=0.1)
        async with loading.use(model, -1.0) as (loaded, _):
            await asyncio.sleep(0.2)  # it must not unload: nothing to poll
            assert not loaded.gone
        await asyncio.sleep(0.2)  # it must not unload: nothing to poll
        assert not only(loading).gone


async def test_a_killed_runner_fails_its_requests_and_is_replaced(loader, until):
    async with loader() as (loading, model):
        with pytest.raises(RunnerError, match="EOF"):
            await doomed(loading, model)
        first = only(loading)
        await until(lambda: first.gone)
        assert only(loading) is first
        assert await generate(loading, model) == 3
        assert only(loading) is not first


async def doomed(loading, model):
    async with loading.use(model, 60.0) as (loaded, _):
        with loaded.work(100_000) as work:
            await work.step()
            kill(loaded.child.pid)
            while await work.step():
                pass


async def test_loading_has_a_bound(loader):
    async with loader(LAB_LOAD_SECONDS="60", OLLAMA_LOAD_TIMEOUT="100ms") as (loading, model):
        with pytest.raises(RunnerError, match="OLLAMA_LOAD_TIMEOUT"):
            await generate(loading, model)
        assert not loading.loaded


async def test_loading_ends_with_its_asker(loader, until):
    async with loader(LAB_LOAD_SECONDS="60") as (loading, model), asyncio.TaskGroup() as group:
        asker = group.create_task(generate(loading, model))
        await until(lambda: loading.loaded)
        pid = only(loading).child.pid
        asker.cancel()
        await until(lambda: (found := look(pid)) is None or found.state == "Z")
        assert not loading.loaded


async def test_a_runner_killed_while_loading_is_an_error(loader, until):
    async with loader(LAB_LOAD_SECONDS="60") as (loading, model), asyncio.TaskGroup() as group:
        asker = group.create_task(outcome(generate(loading, model)))
        await until(lambda: loading.loaded)
        kill(only(loading).child.pid)
        assert "ended" in await asker


async def outcome(work):
    try:
        await work
    except RunnerError as error:
        return str(error)
    return ""


async def test_a_stopped_runner_is_killed_with_the_others(loader):
    async with loader() as (loading, model):
        await generate(loading, model)
        pid = only(loading).child.pid
        kill(pid, signal.SIGSTOP)
        await loading.close()
        assert (found := look(pid)) is None or found.state == "Z"
