"""The API server's side of a real EngineCore."""

import asyncio
import signal

import pytest

from inferagent.lab.engines.link import EngineDeadError
from inferagent.lab.processes import kill, look


async def generate(link, tokens):
    with link.request(3, tokens) as request:
        while await request.step():
            pass
    return request.count


async def ended_by(link):
    try:
        await generate(link, 100_000)
    except EngineDeadError:
        return "dead"
    return "well"


async def test_requests_get_their_tokens_and_are_counted(engine):
    async with engine() as link:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(generate(link, tokens)) for tokens in (1, 5, 30)]
        assert [task.result() for task in tasks] == [1, 5, 30]
        assert link.counters.generation_tokens == 36
        assert link.counters.prompt_tokens == 9
        assert link.counters.success["length"] == 3
        assert link.quiet.is_set()


async def test_a_request_left_early_is_aborted(engine, until):
    async with engine() as link:
        with link.request(3, 100_000) as request:
            await request.step()
            assert link.counters.running == 1
            assert not link.quiet.is_set()
        await until(lambda: link.counters.success["abort"] == 1)
        assert (link.counters.running, link.quiet.is_set()) == (0, True)


async def test_open_requests_end_when_the_worker_dies(engine, until):
    async with engine() as link:
        async with asyncio.TaskGroup() as group:
            open_request = group.create_task(ended_by(link))
            await until(lambda: link.counters.generation_tokens > 0)
            kill(link.worker_pid)
        assert open_request.result() == "dead"
        assert link.dead
        with pytest.raises(EngineDeadError):
            await generate(link, 1)


async def test_a_silent_link_leaves_them_open(engine, until):
    async with engine() as link:
        with link.request(3, 100_000) as request:
            await request.step()
            link.silent = True
            link.kill()
            await until(lambda: link.dead)
            while not request.made.empty():
                await request.step()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(request.step(), 0.3)


async def test_kill_ends_a_stopped_worker_too(engine, until):
    async with engine() as link:
        worker = link.worker_pid
        kill(worker, signal.SIGSTOP)
        link.kill()
        await until(lambda: (found := look(worker)) is None or found.state == "Z")
        assert link.worker_pid == worker
