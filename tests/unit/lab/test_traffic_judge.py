"""How answers are judged: each way to fail has its word, and a good answer has none."""

import json

import pytest

from inferagent.lab.traffic_judge import Kind, Outcome, Seen, Tally, mixed, parsed, read_stream

PLAIN = Kind("plain", "/v1/completions", False, 3, 5.0)
STREAM = Kind("stream", "/v1/chat/completions", True, 3, 5.0)


def chunk(content="word", reason=None):
    return {"choices": [{"delta": {"content": content}, "finish_reason": reason}]}


def usage(count):
    return {"choices": [], "usage": {"completion_tokens": count}}


def whole(count, reason="length"):
    return {"choices": [{"text": "a b c", "finish_reason": reason}], "usage": {"completion_tokens": count}}


GOOD = [chunk(""), chunk(), chunk(), chunk(), chunk("", "length"), usage(3)]


def seen(*bodies, done=True):
    found = Seen(done=done)
    for body in bodies:
        found.take(body)
    return found


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (seen(*GOOD), ""),
        (seen(*GOOD[:-1]), ""),
        (seen(*GOOD, done=False), "no terminator"),
        (seen(chunk(), {"error": {"message": "dead"}}), "error event"),
        (seen({"error": {}}, done=False), "error event"),
        (seen(chunk(), None), "error event"),
        (seen(chunk(), chunk(), usage(2)), "token count"),
        (seen(chunk(), chunk(), usage(3)), "token count"),
        (seen(*[chunk()] * 4, usage(3)), "token count"),
        (seen(), "token count"),
    ],
)
def test_streams(found, cause):
    assert found.cause(STREAM, exact=True) == cause


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (whole(3), ""),
        (whole(2), "token count"),
        ({"error": 1}, "bad body"),
        (None, "bad body"),
        ({}, "token count"),
    ],
)
def test_plain_answers(body, cause):
    assert seen(body, done=False).cause(PLAIN, exact=True) == cause


@pytest.mark.parametrize(
    ("body", "right"),
    [
        (whole(3), True),
        (whole(2, "stop"), True),
        (whole(3, "stop"), True),
        (whole(2, "length"), False),
        (whole(0, "stop"), False),
        (whole(4, "stop"), False),
        (whole(2, None), False),
    ],
)
def test_an_engine_that_may_stop_early(body, right):
    assert (seen(body).cause(PLAIN, exact=False) == "") is right


def test_bodies_ask_for_what_is_judged():
    body = STREAM.body("chat", exact=True)
    assert (body["model"], body["max_tokens"], body["stream"]) == ("chat", 3, True)
    assert body["stream_options"] == {"include_usage": True}
    assert body["ignore_eos"] is True
    assert "messages" in body
    assert "ignore_eos" not in PLAIN.body("chat", exact=False)
    assert "prompt" in PLAIN.body("chat", exact=False)


def test_mixed_leaves_out_what_has_no_share():
    assert [kind.weight for kind in mixed(0.25)] == [0.75, 0.25]
    assert [kind.name for kind in mixed(1.0)] == ["stream"]


def test_a_tally_counts_each_request_once():
    outcomes = [
        Outcome(0.0, 1.0, "plain", "a", ""),
        Outcome(0.0, 3.0, "plain", "b", "status 502"),
        Outcome(0.0, 2.0, "stream", "", "connection"),
        Outcome(0.0, 2.0, "stream", "a", "status 502"),
    ]
    tally = Tally.of(outcomes)
    assert (tally.sent, tally.failed) == (4, 3)
    assert tally.by_cause == {"status 502": 2, "connection": 1}
    assert tally.by_host == {"a": 2, "b": 1}
    assert (tally.median_seconds, tally.max_seconds) == (2.0, 3.0)
    assert Tally.of([]).sent == 0
    assert [outcome.ok for outcome in outcomes] == [True, False, False, False]


async def lines_of(text):
    for line in text.splitlines(keepends=True):
        yield line


async def test_a_stream_is_read_to_its_end():
    text = b"".join(b"data: %s\n\n" % json.dumps(body).encode() for body in GOOD)
    found = Seen()
    await read_stream(lines_of(b": a comment\n\n" + text + b"data: [DONE]\n\n"), found)
    assert (found.chunks, found.usage, found.done, found.reason) == (3, 3, True, "length")


def test_what_is_no_json_is_no_answer():
    assert parsed(b"<html>") is None
    assert parsed(b'{"a":1}') == {"a": 1}
