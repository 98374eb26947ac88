"""What Ollama's answers look like: its own API in lines of JSON, and the one it shares with vLLM."""

import itertools
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from inferagent.lab.engines.loader import Loaded, Work
from inferagent.lab.engines.models import Model
from inferagent.lab.engines.wire import DONE, event, line
from inferagent.lab.engines.words import text, word

VERSION = "0.17.4+lab"
NUMBERS = itertools.count(1)
CONTEXT_LENGTH = 2048


def stamp(when: float | None = None) -> str:
    moment = datetime.now(UTC) if when is None else datetime.fromtimestamp(0, UTC) + timedelta(seconds=when)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def details() -> dict[str, Any]:
    family = {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"]}
    return {**family, "parameter_size": "116K", "quantization_level": "unknown"}


def tag(model: Model) -> dict[str, Any]:
    """One line of /api/tags."""
    name = {"name": model.name, "model": model.name, "modified_at": model.modified}
    return {**name, "size": model.size, "digest": model.digest, "details": details()}


def running(loaded: Loaded, share: float) -> dict[str, Any]:
    """One line of /api/ps; `share` of it is on the GPU."""
    model, size = loaded.model, loaded.model.size * 2
    name = {"name": model.name, "model": model.name, "size": size, "digest": model.digest}
    when = {"expires_at": stamp(loaded.expires), "size_vram": int(size * share)}
    return {**name, "details": details(), **when, "context_length": CONTEXT_LENGTH}


class Face(Protocol):
    """One way to answer a generation."""

    kind: str

    def token(self, index: int) -> bytes: ...
    def closing(self, work: Work) -> bytes: ...
    def whole(self, work: Work) -> dict[str, Any]: ...
    def broken(self, message: str) -> bytes: ...


@dataclass
class Native:
    """/api/generate and /api/chat."""

    chat: bool
    model: str
    prompt: int
    reason: str
    load_seconds: float = 0.0
    begun: float = field(default_factory=time.monotonic)
    kind: str = "application/x-ndjson"

    def said(self, content: str) -> dict[str, Any]:
        words = {"message": {"role": "assistant", "content": content}} if self.chat else {"response": content}
        return {"model": self.model, "created_at": stamp(), **words}

    def token(self, index: int) -> bytes:
        return line({**self.said(word(index)), "done": False})

    def ended(self, work: Work) -> dict[str, Any]:
        now = time.monotonic()
        return {
            "done": True,
            "done_reason": self.reason,
            **({} if self.chat else {"context": list(range(self.prompt + work.count))}),
            "total_duration": nanoseconds(now - self.begun),
            "load_duration": nanoseconds(self.load_seconds),
            "prompt_eval_count": self.prompt,
            "prompt_eval_duration": nanoseconds(work.first - work.begun),
            "eval_count": work.count,
            "eval_duration": nanoseconds(now - work.first),
        }

    def closing(self, work: Work) -> bytes:
        return line({**self.said(""), **self.ended(work)})

    def whole(self, work: Work) -> dict[str, Any]:
        return {**self.said(text(work.count)), **self.ended(work)}

    def broken(self, message: str) -> bytes:
        return line({"error": message})


@dataclass
class Shared:
    """/v1/chat/completions and /v1/completions."""

    chat: bool
    model: str
    prompt: int
    reason: str
    usage: bool
    created: int = field(default_factory=lambda: int(time.time()))
    number: int = field(default_factory=lambda: next(NUMBERS))
    kind: str = "text/event-stream"

    def frame(self, end: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        name = f"{'chatcmpl' if self.chat else 'cmpl'}-{self.number}"
        kind = f"chat.completion{end}" if self.chat else "text_completion"
        head = {"id": name, "object": kind, "created": self.created, "model": self.model}
        return {**head, "system_fingerprint": "fp_ollama", "choices": choices}

    def none_yet(self) -> dict[str, Any]:
        """Asked for, the usage stands in every piece of a plain stream, with zeros until the last."""
        zeros = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)
        return {"usage": zeros} if self.usage and not self.chat else {}

    def chunk(self, content: str, reason: str | None) -> bytes:
        said: dict[str, Any] = {"text": content}
        if self.chat:
            said = {"delta": {"role": "assistant", "content": content}}
        return event(
            {**self.frame(".chunk", [{"index": 0, **said, "finish_reason": reason}]), **self.none_yet()}
        )

    def token(self, index: int) -> bytes:
        return self.chunk(word(index), None)

    def counts(self, made: int) -> dict[str, int]:
        return {"prompt_tokens": self.prompt, "completion_tokens": made, "total_tokens": self.prompt + made}

    def closing(self, work: Work) -> bytes:
        usage = event({**self.frame(".chunk", []), "usage": self.counts(work.count)}) if self.usage else b""
        return self.chunk("", self.reason) + usage + DONE

    def whole(self, work: Work) -> dict[str, Any]:
        said: dict[str, Any] = {"text": text(work.count)}
        if self.chat:
            said = {"message": {"role": "assistant", "content": text(work.count)}}
        choices = [{"index": 0, **said, "finish_reason": self.reason}]
        return {**self.frame("", choices), "usage": self.counts(work.count)}

    def broken(self, message: str) -> bytes:  # noqa: ARG002 (the real one keeps it to itself as well)
        """No error and no terminator: an empty piece without a model's name, seen with 0.17.4."""
        return replace(self, model="").chunk("", None)


def refusal(path: str, message: str, status: int) -> dict[str, Any]:
    """The error body that belongs to a path."""
    if not path.startswith("/v1/"):
        return {"error": message}
    kind = "invalid_request_error" if status == 400 else "api_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}
