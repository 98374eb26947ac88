"""vLLM's bodies: one chunk a token, the reason on the last, the counts apart."""

import pytest

from inferagent.lab.engines.vllm_bodies import Answer, models
from inferagent.lab.engines.words import text


@pytest.mark.parametrize("chat", [True, False])
def test_the_chunks_of_a_stream_say_what_the_whole_says(chat):
    answer = Answer(chat, "m", 2)
    chunks = [answer.token(index, index == 4) for index in range(5)]
    choices = [chunk["choices"][0] for chunk in chunks]
    said = "".join(choice["delta"]["content"] if chat else choice["text"] for choice in choices)
    whole = answer.whole(5)["choices"][0]
    assert said == text(5) == (whole["message"]["content"] if chat else whole["text"])
    assert [choice["finish_reason"] for choice in choices] == [None] * 4 + ["length"]
    assert {chunk["id"] for chunk in chunks} == {answer.closing(5)["id"]}


def test_only_chat_opens_with_a_role():
    assert Answer(True, "m", 2).opening()[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert Answer(False, "m", 2).opening() == []


def test_usage_adds_up():
    usage = Answer(True, "m", 19).closing(5)
    assert usage["usage"] == {"prompt_tokens": 19, "total_tokens": 24, "completion_tokens": 5}
    assert usage["choices"] == []


def test_each_name_is_a_model():
    listed = models(["a", "b"], "/m", 1024, 7)["data"]
    assert [(model["id"], model["root"], model["max_model_len"]) for model in listed] == [
        ("a", "/m", 1024),
        ("b", "/m", 1024),
    ]
