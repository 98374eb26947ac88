"""What vLLM's answers look like: the fields as recorded, for chat and for plain completions."""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from inferagent.lab.engines.words import text, word

VERSION = "0.32.0+lab"
NUMBERS = itertools.count(1)


def error(message: str, kind: str, code: int, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


DEAD = error("EngineCore has died; its own messages say why.", "InternalServerError", 500)
LEAVING = error("cannot take new requests: shutting down", "InternalServerError", 500)


def models(names: list[str], root: str, max_len: int, created: int) -> dict[str, Any]:
    common = {"object": "model", "created": created, "owned_by": "vllm", "root": root, "parent": None}
    return {"object": "list", "data": [{"id": name, **common, "max_model_len": max_len} for name in names]}


@dataclass
class Answer:
    """The bodies of one request's answer."""

    chat: bool
    model: str
    prompt: int
    created: int = field(default_factory=lambda: int(time.time()))
    number: int = field(default_factory=lambda: next(NUMBERS))

    def usage(self, made: int) -> dict[str, Any]:
        return {"prompt_tokens": self.prompt, "total_tokens": self.prompt + made, "completion_tokens": made}

    def frame(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        name = f"{'chatcmpl' if self.chat else 'cmpl'}-{self.number:016x}"
        return {"id": name, "object": kind, "created": self.created, "model": self.model, "choices": choices}

    def whole(self, made: int) -> dict[str, Any]:
        ended = {"logprobs": None, "finish_reason": "length", "stop_reason": None}
        if self.chat:
            choice = {"index": 0, "message": {"role": "assistant", "content": text(made)}, **ended}
        else:
            choice = {"index": 0, "text": text(made), **ended}
        kind = "chat.completion" if self.chat else "text_completion"
        return {**self.frame(kind, [choice]), "usage": self.usage(made)}

    def chunk(self, said: dict[str, Any], reason: str | None) -> dict[str, Any]:
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return self.frame(kind, [{"index": 0, **said, "logprobs": None, "finish_reason": reason}])

    def opening(self) -> list[dict[str, Any]]:
        """Chat streams begin with a chunk that carries the role and no token."""
        return [self.chunk({"delta": {"role": "assistant", "content": ""}}, None)] if self.chat else []

    def token(self, index: int, last: bool) -> dict[str, Any]:
        said = word(index)
        return self.chunk(
            {"delta": {"content": said}} if self.chat else {"text": said}, "length" if last else None
        )

    def closing(self, made: int) -> dict[str, Any]:
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return {**self.frame(kind, []), "usage": self.usage(made)}
