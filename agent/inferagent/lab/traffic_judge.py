"""What the traffic client asks, and how it judges an answer.

A request has failed when it is not 200, carries an error event, lacks its terminator, has the wrong
token count, or took longer than its bound: a dead engine may end a stream like a good one.
"""

import json
import statistics
from collections import Counter
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from typing import Any

PROMPT = "say a few words about the lamp"


@dataclass(frozen=True)
class Kind:
    """One sort of request; `bound` in seconds, `weight` is its share among the kinds."""

    name: str
    path: str
    stream: bool
    tokens: int
    bound: float
    weight: float = 1.0

    def body(self, model: str, exact: bool) -> dict[str, Any]:
        said: dict[str, Any] = {"prompt": PROMPT}
        if self.path.endswith("/chat/completions"):
            said = {"messages": [{"role": "user", "content": PROMPT}]}
        body = {"model": model, **said, "max_tokens": self.tokens, "stream": self.stream}
        if self.stream:
            body["stream_options"] = {"include_usage": True}
        return {**body, "ignore_eos": True} if exact else body


def mixed(
    stream_share: float = 0.5,
    tokens: int = 4,
    stream_tokens: int = 40,
    bound: float = 10.0,
    stream_bound: float = 30.0,
) -> list[Kind]:
    """Plain completions and chat streams."""
    plain = Kind("plain", "/v1/completions", False, tokens, bound, 1 - stream_share)
    stream = Kind("stream", "/v1/chat/completions", True, stream_tokens, stream_bound, stream_share)
    return [kind for kind in (plain, stream) if kind.weight > 0]


@dataclass(frozen=True)
class Outcome:
    """One request: `start` and `end` in seconds of time.monotonic, `host` that answered or an empty
    string, `cause` in a few stable words or an empty string when it is ok."""

    start: float
    end: float
    kind: str
    host: str
    cause: str

    @property
    def ok(self) -> bool:
        return not self.cause


@dataclass
class Tally:
    """What became of the requests of one window."""

    sent: int
    failed: int
    by_cause: dict[str, int]
    by_host: dict[str, int]
    median_seconds: float
    max_seconds: float

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "Tally":
        listed = list(outcomes)
        seconds = [outcome.end - outcome.start for outcome in listed] or [0.0]
        causes = Counter(outcome.cause for outcome in listed if outcome.cause)
        hosts = Counter(outcome.host for outcome in listed if outcome.host)
        return cls(
            sent=len(listed),
            failed=sum(causes.values()),
            by_cause=dict(causes),
            by_host=dict(hosts),
            median_seconds=round(statistics.median(seconds), 4),
            max_seconds=round(max(seconds), 4),
        )


@dataclass
class Seen:
    """What a reply carried, for the judgement at its end."""

    chunks: int = 0
    usage: int | None = None
    reason: str = ""
    error: bool = False
    done: bool = False

    def take(self, body: Any) -> None:
        """One JSON body, a whole answer or an event of a stream."""
        if not isinstance(body, dict) or "error" in body:
            self.error = True
            return
        for choice in body.get("choices", ()):
            said = choice.get("text") or (choice.get("delta") or {}).get("content")
            self.chunks += bool(said)
            self.reason = choice.get("finish_reason") or self.reason
        if body.get("usage"):
            self.usage = body["usage"].get("completion_tokens")

    def cause(self, kind: Kind, exact: bool) -> str:
        """Why it failed; an error event counts before all that follows from it."""
        if self.error:
            return "error event" if kind.stream else "bad body"
        if kind.stream and not self.done:
            return "no terminator"
        return "" if self.right_count(kind, exact) else "token count"

    def right_count(self, kind: Kind, exact: bool) -> bool:
        """Exact: every token asked for, in the usage and as chunks. Else an early stop is right, too:
        then 1 to all, with the reason given (an engine may put no text into some chunks)."""
        count = self.chunks if self.usage is None else self.usage
        if exact:
            return count == kind.tokens and (not kind.stream or self.chunks == kind.tokens)
        if self.reason == "stop":
            return 1 <= count <= kind.tokens
        return self.reason == "length" and (count == kind.tokens or self.usage is None)


def parsed(raw: bytes) -> Any:
    """The JSON in it; None, which is no answer, when it is none."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


async def read_stream(content: AsyncIterable[bytes], seen: Seen) -> None:
    """Server-sent events until the end of the body; comments and other fields mean nothing here."""
    async for line in content:
        if not line.startswith(b"data:"):
            continue
        data = line.removeprefix(b"data:").strip()
        if data == b"[DONE]":
            seen.done = True
        elif data:
            seen.take(parsed(data))
