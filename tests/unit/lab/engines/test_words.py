"""The generated text is the same each time, one word a token."""

from inferagent.lab.engines import words


def test_text_is_its_tokens_in_order():
    assert words.text(30) == "".join(words.word(index) for index in range(30))
    assert len(words.text(30).split()) == 30


def test_prompts_are_counted_in_words():
    assert words.prompt_tokens("two words") == 2
    assert words.prompt_tokens("") == 1
    assert words.prompt_tokens([{"role": "user", "content": "two words"}]) == 5
