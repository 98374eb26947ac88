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


BUILD = {"system_fingerprint": f"vllm-{VERSION}"}
UNSPOKEN = dict.fromkeys(("refusal", "annotations", "audio", "function_call", "reasoning"))
OF_THE_PROMPT = dict.fromkeys(("prompt_logprobs", "prompt_token_ids"))
DEAD = error("EngineCore has died; its own messages say why.", "InternalServerError", 500)
LEAVING = error("cannot take new requests: shutting down", "InternalServerError", 500)


def models(names: list[str], root: str, max_len: int, created: int) -> dict[str, Any]:
    common = {"object": "model", "created": created, "owned_by": "vllm", "root": root, "parent": None}
    more = {"max_model_len": max_len, "permission": [permission(created)]}
    return {"object": "list", "data": [{"id": name, **common, **more} for name in names]}


def permission(created: int) -> dict[str, Any]:
    """Of a model; the same for all."""
    allowed = {"create_engine": False, "sampling": True, "logprobs": True, "search_indices": False}
    allowed |= {"view": True, "fine_tuning": False}
    head = {"id": "modelperm-0", "object": "model_permission", "created": created}
    may = {f"allow_{what}": yes for what, yes in allowed.items()}
    return {**head, **may, "organization": "*", "group": None, "is_blocking": False}


@dataclass
class Answer:
    """The bodies of one request's answer."""

    chat: bool
    model: str
    prompt: int
    created: int = field(default_factory=lambda: int(time.time()))
    number: int = field(default_factory=lambda: next(NUMBERS))
    with_usage: bool = False  # a stream that ends with a piece of its own for the usage

    def usage(self, made: int) -> dict[str, Any]:
        return {"prompt_tokens": self.prompt, "total_tokens": self.prompt + made, "completion_tokens": made}

    def frame(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        name = f"{'chatcmpl' if self.chat else 'cmpl'}-{self.number:016x}"
        return {"id": name, "object": kind, "created": self.created, "model": self.model, "choices": choices}

    def whole(self, made: int) -> dict[str, Any]:
        ended = {"logprobs": None, "finish_reason": "length", "stop_reason": None}
        tail = dict.fromkeys(("kv_transfer_params", "ec_transfer_params", "metrics"))
        if self.chat:
            spoken = {"role": "assistant", "content": text(made), **UNSPOKEN}
            choice = {"index": 0, "message": spoken, **ended, "token_ids": None, "routed_experts": None}
            tail = {**OF_THE_PROMPT, "prompt_text": None, **tail}
        else:
            choice = {"index": 0, "text": text(made), **ended, **OF_THE_PROMPT}
            choice |= {"token_ids": None, "routed_experts": None}
        kind = "chat.completion" if self.chat else "text_completion"
        usage = {**self.usage(made), "prompt_tokens_details": None, "completion_tokens_details": None}
        return {**self.frame(kind, [choice]), "service_tier": None, **BUILD, "usage": usage, **tail}

    def chunk(self, said: dict[str, Any], reason: str | None, **more: Any) -> dict[str, Any]:
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return self.frame(kind, [{"index": 0, **said, "logprobs": None, "finish_reason": reason, **more}])

    def opening(self) -> list[dict[str, Any]]:
        """Chat streams begin with a chunk that carries the role and no token."""
        said = {"delta": {"role": "assistant", "content": ""}}
        return (
            [{**self.chunk(said, None), "prompt_token_ids": None, "prompt_text": None}] if self.chat else []
        )

    def token(self, index: int, last: bool) -> dict[str, Any]:
        said = {"delta": {"content": word(index)}} if self.chat else {"text": word(index)}
        more: dict[str, Any] = {"stop_reason": None} if last or not self.chat else {}
        more |= {"token_ids": None} if self.chat else {"prompt_token_ids": None, "token_ids": None}
        made = self.chunk(said, "length" if last else None, **more)
        return {**made, **BUILD} if last and not self.with_usage else made

    def closing(self, made: int) -> dict[str, Any]:
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return {**self.frame(kind, []), "usage": self.usage(made), **BUILD}
