"""One short generation for every public model name, on the path that users call.

What the outcomes rest on. Tokens for every name: OK. 503 and 429: saturated, BUSY. Any other answer, a
refused or a broken connection: WRONG. Silence past the deadline: UNANSWERED, also when the connection
itself was never taken: on loopback that is a full accept queue, the engine's own silence, and WRONG would
let two overloads of the queue count as two failed generations; UNANSWERED needs a second witness.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from inferagent.adapters.local_http import Answer, LocalHttp, SilentError
from inferagent.model.engine import Generation, Outcome
from inferagent.ports import Clock, PortError

SATURATED = (429, 503)
NO_CHAT = (400, 404, 405, 501)
PROMPT = "Say yes."
DETAIL = 200
WORST_FIRST = (Outcome.WRONG, Outcome.UNANSWERED, Outcome.BUSY, Outcome.OK)


@dataclass(frozen=True, slots=True)
class Asked:
    """How one question to the engine ended."""

    outcome: Outcome
    detail: str = ""


Ask: TypeAlias = Callable[[str, float], Coroutine[Any, Any, Asked]]


async def ask_all(
    names: Sequence[str], ask: Ask, deadline: float, clock: Clock, incarnation: str
) -> Generation:
    """Asks for every name at once, each within `deadline` seconds; the worst outcome stands for all."""
    begun = clock.now()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(name, deadline)) for name in names]
    found = [task.result() for task in tasks] or [Asked(Outcome.WRONG, "cannot ask: no model name is served")]
    worst = min(found, key=lambda asked: WORST_FIRST.index(asked.outcome))
    return Generation(worst.outcome, begun, clock.now(), worst.detail, incarnation)


async def ask_tokens(http: LocalHttp, name: str, timeout: float) -> Asked:
    """One token of `name` by chat, or by plain completion where the model has no chat."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    chat = {"model": name, "max_tokens": 1, "messages": [{"role": "user", "content": PROMPT}]}
    plain = {"model": name, "max_tokens": 1, "prompt": PROMPT}
    try:
        answer = await http.ask("POST", "/v1/chat/completions", timeout, chat)
        if answer.status in NO_CHAT:
            other = await http.ask("POST", "/v1/completions", end - loop.time(), plain)
            answer = other if other.status == 200 else answer
    except SilentError as error:
        return Asked(Outcome.UNANSWERED, silence(name, error, timeout))
    except PortError as error:
        return Asked(Outcome.WRONG, f"{name}: {error}")
    return judge(name, answer)


def silence(name: str, error: SilentError, timeout: float) -> str:
    how = "was taken and not answered" if error.taken else "was not even taken"
    return f"{name}: the question {how} within {timeout:.0f} s"


def judge_status(name: str, answer: Answer) -> Asked:
    """OK for 200 alone."""
    if answer.status in SATURATED:
        return Asked(Outcome.BUSY, f"{name}: {answer.status}, the engine is saturated")
    if answer.status != 200:
        return Asked(Outcome.WRONG, f"{name}: {answer.status} {complaint(answer)}".rstrip())
    return Asked(Outcome.OK)


def judge(name: str, answer: Answer) -> Asked:
    """Is this answer tokens?"""
    asked = judge_status(name, answer)
    if asked.outcome is not Outcome.OK:
        return asked
    try:
        tokens = has_tokens(answer.mapping())
    except PortError as error:
        return Asked(Outcome.WRONG, f"{name}: {error}")
    return Asked(Outcome.OK) if tokens else Asked(Outcome.WRONG, f"{name}: 200 without a single token")


def has_tokens(body: dict[str, Any]) -> bool:
    """A choice, and at least one token where the engine counts them."""
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        return False
    usage = body.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return not isinstance(count, int | float) or count >= 1


def complaint(answer: Answer) -> str:
    """The message of an engine's error body, on one line and short."""
    try:
        body = answer.json()
    except PortError:
        body = answer.body.decode("utf-8", "replace")
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message", "") if isinstance(error, dict) else error
    return " ".join(str(message).split())[:DETAIL]
