"""Loads that outlast their callers."""

import asyncio

import pytest
from tests.unit.adapters.local_bench import (
    BREAK,
    GARBAGE,
    HANG,
    LEAVES_SOCKETS,
    Reply,
    bench,
    closed_port,
    until,
)

from inferagent.adapters.engine.loading import Loader
from inferagent.model.engine import Outcome

pytestmark = LEAVES_SOCKETS

LOAD = "POST /api/generate"
DONE = Reply(200, {"done": True, "done_reason": "load"})


async def load(server, name="big", timeout=2.0):
    loader = Loader("127.0.0.1", server.port)
    asked = await loader.load(name, timeout)
    await loader.aclose()
    return asked


async def test_a_loaded_model_answers_at_once_and_nothing_is_generated():
    async with bench(**{LOAD: DONE}) as server:
        assert (await load(server)).outcome is Outcome.OK
        assert server.seen[0].body == {"model": "big", "stream": False}
        assert server.seen[0].headers["host"] == "localhost"


async def test_a_load_outlives_its_caller_and_the_next_one_waits_on():
    loaded = asyncio.Event()
    async with bench(**{LOAD: Reply(200, DONE.body, after=loaded)}) as server:
        loader = Loader("127.0.0.1", server.port)
        first = await loader.load("big", 0.1)
        assert (first.outcome, "still loading" in first.detail) == (Outcome.UNANSWERED, True)
        assert (await loader.load("big", 0.1)).outcome is Outcome.UNANSWERED
        assert len(server.seen) == 1  # the same request, still open
        loaded.set()
        assert (await loader.load("big", 2.0)).outcome is Outcome.OK
        assert len(server.seen) == 2  # and once more, for the first answer may be old
        await loader.aclose()


async def test_two_models_load_beside_each_other():
    async with bench(**{LOAD: HANG}) as server:
        loader = Loader("127.0.0.1", server.port)
        await asyncio.gather(loader.load("a", 0.1), loader.load("b", 0.1))
        assert sorted(one.body["model"] for one in server.seen) == ["a", "b"]
        await loader.aclose()


async def test_closing_gives_up_what_is_open():
    async with bench(**{LOAD: HANG}) as server:
        loader = Loader("127.0.0.1", server.port)
        await loader.load("big", 0.1)
        await loader.aclose()
        await until(lambda: server.gone == ["/api/generate"])


@pytest.mark.parametrize(
    ("reply", "outcome", "detail"),
    [
        (Reply(404, {"error": "model 'big' not found"}), Outcome.WRONG, "404 model 'big' not found"),
        (Reply(503, {"error": "server busy"}), Outcome.BUSY, "saturated"),
        (BREAK, Outcome.WRONG, "cannot load"),
        (GARBAGE, Outcome.WRONG, "cannot load"),
    ],
)
async def test_other_ends(reply, outcome, detail):
    async with bench(**{LOAD: reply}) as server:
        asked = await load(server)
    assert asked.outcome is outcome
    assert detail in asked.detail


async def test_a_load_that_failed_meanwhile_is_told():
    loaded = asyncio.Event()
    async with bench(**{LOAD: Reply(500, {"error": "out of memory"}, after=loaded)}) as server:
        loader = Loader("127.0.0.1", server.port)
        await loader.load("big", 0.1)
        loaded.set()
        asked = await loader.load("big", 2.0)
        assert (asked.outcome, len(server.seen)) == (Outcome.WRONG, 1)
        await loader.aclose()


async def test_an_engine_that_died_while_loading_is_told_and_then_asked_anew():
    async with bench(**{LOAD: HANG}) as server:
        loader = Loader("127.0.0.1", server.port)
        await loader.load("big", 0.1)
        for writer in list(server.open):
            writer.transport.abort()
        assert (await loader.load("big", 2.0)).outcome is Outcome.WRONG
        server.routes[LOAD] = DONE
        assert (await loader.load("big", 2.0)).outcome is Outcome.OK
        await loader.aclose()


async def test_a_refused_port_is_wrong():
    loader = Loader("127.0.0.1", closed_port())
    asked = await loader.load("big", 2.0)
    assert (asked.outcome, "refuses" in asked.detail) == (Outcome.WRONG, True)
    await loader.aclose()
