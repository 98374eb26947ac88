"""The text that the stand-ins generate: the same words in the same order, one a token."""

import json
from typing import Any

WORDS = ("the", "lamp", "keeps", "burning", "while", "seven", "quiet", "boats", "cross", "a", "grey", "river")


def word(index: int) -> str:
    """Token `index` of every answer, with the space before it."""
    return f" {WORDS[index % len(WORDS)]}"


def text(count: int) -> str:
    return "".join(word(index) for index in range(count))


def prompt_tokens(prompt: Any) -> int:
    """About as many tokens as a prompt or a list of messages has words; at least one."""
    flat = prompt if isinstance(prompt, str) else json.dumps(prompt)
    return max(1, len(flat.split()))
