"""Ollama's bodies in both of its dialects."""

import json

import pytest

from inferagent.lab.engines import ollama_bodies as bodies
from inferagent.lab.engines.loader import Work
from inferagent.lab.engines.words import text


def ended(tokens):
    work = Work("r1", tokens)
    work.count = tokens
    return work


@pytest.mark.parametrize("chat", [True, False])
def test_native_lines_say_what_the_whole_says(chat):
    face = bodies.Native(chat, "m", 2, "length", 0.25)

    def said(body):
        return body["message"]["content"] if chat else body["response"]

    lines = [json.loads(face.token(index)) for index in range(4)]
    last, whole = json.loads(face.closing(ended(4))), face.whole(ended(4))
    assert "".join(map(said, lines)) == text(4) == said(whole)
    assert [line["done"] for line in [*lines, last]] == [False] * 4 + [True]
    for body in (last, whole):
        assert (body["eval_count"], body["prompt_eval_count"], body["done_reason"]) == (4, 2, "length")
        assert (body["load_duration"], body["eval_duration"] >= 0) == (250_000_000, True)
    assert ("context" in whole) is not chat


@pytest.mark.parametrize("chat", [True, False])
def test_shared_events_end_with_reason_usage_and_terminator(chat):
    face = bodies.Shared(chat, "m", 2, "length", True)
    reason, usage, done = [part.removeprefix(b"data: ") for part in face.closing(ended(4)).split(b"\n\n")[:3]]
    assert json.loads(reason)["choices"][0]["finish_reason"] == "length"
    assert json.loads(usage)["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
    assert done == b"[DONE]"
    assert face.whole(ended(4))["usage"] == json.loads(usage)["usage"]
    without = bodies.Shared(chat, "m", 2, "length", False)
    assert b"usage" not in without.closing(ended(4))


def test_a_broken_stream_has_no_terminator():
    broken = bodies.Shared(True, "m", 2, "length", True).broken("why")
    assert b"[DONE]" not in broken
    assert json.loads(broken.removeprefix(b"data: "))["model"] == ""
    assert json.loads(bodies.Native(True, "m", 2, "length").broken("why")) == {"error": "why"}


def test_refusals_by_path():
    assert bodies.refusal("/api/chat", "no", 404) == {"error": "no"}
    assert bodies.refusal("/v1/models", "no", 503)["error"]["type"] == "api_error"


def test_time_stamps_have_nine_digits():
    assert bodies.stamp(1_795_282_521.25) == "2026-11-21T17:35:21.250000000Z"
