"""What counts as an answer with tokens, and what every other outcome rests on."""

import asyncio

import pytest
from tests.unit.adapters.local_bench import (
    BREAK,
    GARBAGE,
    HANG,
    LEAVES_SOCKETS,
    HandClock,
    Reply,
    bench,
    closed_port,
    full_queue,
)

from inferagent.adapters.engine.generation import Asked, ask_all, ask_tokens
from inferagent.adapters.local_http import LocalHttp
from inferagent.model.engine import Outcome

pytestmark = LEAVES_SOCKETS

CHAT, PLAIN = "POST /v1/chat/completions", "POST /v1/completions"
GOOD = Reply(200, {"choices": [{"message": {"content": "y"}}], "usage": {"completion_tokens": 1}})


async def outcome(deadline=2.0, **routes):
    async with bench(**routes) as server:
        http = LocalHttp(server.url)
        asked = await ask_tokens(http, "chat", deadline)
        await http.aclose()
        return asked, server


async def test_one_token_under_the_public_name():
    asked, server = await outcome(**{CHAT: GOOD})
    assert asked == Asked(Outcome.OK)
    body = server.seen[0].body
    assert (body["model"], body["max_tokens"]) == ("chat", 1)


async def test_a_choice_counts_where_tokens_are_not_counted():
    asked, _ = await outcome(**{CHAT: Reply(200, {"choices": [{}]})})
    assert asked.outcome is Outcome.OK


@pytest.mark.parametrize("status", [400, 404])
async def test_a_model_without_chat_is_asked_plainly(status):
    asked, server = await outcome(**{CHAT: Reply(status, {"error": {"message": "no template"}}), PLAIN: GOOD})
    assert asked.outcome is Outcome.OK
    assert [one.path for one in server.seen] == ["/v1/chat/completions", "/v1/completions"]


async def test_an_unknown_model_keeps_the_first_complaint():
    asked, _ = await outcome(**{CHAT: Reply(404, {"error": {"message": "model `chat` is\nnot here"}})})
    assert asked == Asked(Outcome.WRONG, "chat: 404 model `chat` is not here")


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (Reply(500, {"error": "out of memory"}), "500 out of memory"),
        (Reply(401, b"<html>no</html>"), "401 <html>no</html>"),
        (Reply(200, b"garbage"), "JSON"),
        (Reply(200, {"choices": []}), "without a single token"),
        (Reply(200, {"choices": [{}], "usage": {"completion_tokens": 0}}), "without a single token"),
        (Reply(200, [1]), "no JSON object"),
        (BREAK, "cannot get a whole answer"),
        (GARBAGE, "cannot get a whole answer"),
    ],
)
async def test_any_other_answer_is_wrong(reply, detail):
    asked, _ = await outcome(**{CHAT: reply})
    assert asked.outcome is Outcome.WRONG
    assert detail in asked.detail


@pytest.mark.parametrize("status", [503, 429])
async def test_saturation_is_health(status):
    asked, _ = await outcome(**{CHAT: Reply(status, {"error": "server busy"})})
    assert asked.outcome is Outcome.BUSY


async def test_silence_is_unanswered_and_the_question_is_taken_back():
    asked, server = await outcome(0.2, **{CHAT: HANG})
    assert asked.outcome is Outcome.UNANSWERED
    assert "taken and not answered" in asked.detail
    assert server.gone == ["/v1/chat/completions"]


async def test_a_full_queue_is_unanswered_too():
    with full_queue() as port:
        http = LocalHttp(f"http://127.0.0.1:{port}")
        asked = await ask_tokens(http, "chat", 0.2)
        await http.aclose()
    assert asked.outcome is Outcome.UNANSWERED
    assert "not even taken" in asked.detail


async def test_a_refused_port_is_wrong():
    http = LocalHttp(f"http://127.0.0.1:{closed_port()}")
    asked = await ask_tokens(http, "chat", 2.0)
    await http.aclose()
    assert asked.outcome is Outcome.WRONG
    assert "refuses" in asked.detail


@pytest.mark.parametrize(
    ("found", "worst"),
    [
        ((Outcome.OK, Outcome.OK), Outcome.OK),
        ((Outcome.OK, Outcome.BUSY), Outcome.BUSY),
        ((Outcome.BUSY, Outcome.UNANSWERED), Outcome.UNANSWERED),
        ((Outcome.WRONG, Outcome.UNANSWERED), Outcome.WRONG),
    ],
)
async def test_the_worst_of_all_names_stands(found, worst):
    left = list(found)

    async def ask(name: str, deadline: float) -> Asked:
        return Asked(left.pop(), name)

    assert (await ask_all(("a", "b"), ask, 1.0, HandClock(), "")).outcome is worst


async def test_a_generation_is_dated_and_belongs_to_a_life():
    clock = HandClock(50.0)

    async def ask(name: str, deadline: float) -> Asked:
        clock.at = 53.0
        return Asked(Outcome.OK)

    one = await ask_all(("a",), ask, 1.0, clock, "7:1")
    assert (one.begun, one.ended, one.incarnation) == (50.0, 53.0, "7:1")


async def test_all_names_are_asked_at_once():
    both = asyncio.Barrier(2)

    async def ask(name: str, deadline: float) -> Asked:
        async with asyncio.timeout(2.0):
            await both.wait()
        return Asked(Outcome.OK)

    assert (await ask_all(("a", "b"), ask, 1.0, HandClock(), "")).outcome is Outcome.OK


async def test_no_names_prove_nothing():
    assert (await ask_all((), outcome, 1.0, HandClock(), "")).outcome is Outcome.WRONG
