"""The one client of Cloudflare's API: envelope, retries within a deadline, budget, one warm connection.

The token lives in the connection's headers only: no error, log line or repr shows it.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from inferagent.adapters.cloudflare.budget import Budget, Urgency
from inferagent.adapters.cloudflare.envelope import Answer, Refusal, decode
from inferagent.config.secrets import is_word
from inferagent.ports import Clock, PortError

DEADLINE_S = 20.0
ATTEMPT_S = 4.0  # a connection that died silently costs one attempt, not the whole deadline
WARM_S = 120.0
FIRST_DELAY_S = 0.2
LAST_DELAY_S = 8.0
PAGE = 50
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # knows no authority; loading them costs 30 ms

Json = Any


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `what` completes "cannot …"; `deadline` in seconds bounds all its attempts together."""

    what: str
    method: str
    path: str
    body: Json = None
    params: Mapping[str, str] | None = None
    leaving: bool = False
    deadline: float = DEADLINE_S

    @property
    def urgency(self) -> Urgency:
        if self.leaving:
            return Urgency.LEAVE
        return Urgency.READ if self.method == "GET" else Urgency.WRITE


class ApiError(PortError):
    """An answer that says no; `status` is HTTP's, `code` Cloudflare's first."""

    def __init__(self, text: str, refusal: Refusal) -> None:
        super().__init__(text, retry_after=refusal.retry_after, refused=not refusal.retry)
        self.status = refusal.status
        self.code = refusal.code


class Client:
    """`random` gives numbers in [0, 1) for the jitter. Open until `close`.

    PortError for a token that no header takes.
    """

    def __init__(
        self,
        base: str,
        token: str,
        *,
        clock: Clock,
        random: Callable[[], float],
        budget: Budget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        attempt: float = ATTEMPT_S,
    ) -> None:
        if not is_word(token):
            raise PortError("cannot use the API token: it is not one plain word", refused=True)
        self._clock = clock
        self._random = random
        self._budget = budget or Budget()
        self._attempt = attempt
        self._trusted = False  # a token was accepted: from then on 403 is final
        url = httpx.URL(base)
        self._http = httpx.AsyncClient(
            base_url=base.rstrip("/"),
            headers={"Authorization": f"Bearer {token}", "User-Agent": "inferagent"},
            # No bound: a call that is cancelled just when it is connected leaves its place taken for ever.
            limits=httpx.Limits(max_keepalive_connections=2, keepalive_expiry=WARM_S),
            timeout=None,  # noqa: S113 - every attempt runs under its own time-out
            transport=transport,
            trust_env=url.host not in LOOPBACK,
            verify=True if url.scheme == "https" else NO_TLS,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def call(self, call: Call) -> Json:
        """The result of the call; PortError when there is none within its deadline."""
        return (await self._answer(call)).result

    async def pages(self, call: Call) -> list[Json]:
        """Every entry of a paginated list. The deadline holds for each page."""
        found: list[Json] = []
        page = 1
        while True:
            params = {**(call.params or {}), "page": str(page), "per_page": str(PAGE)}
            answer = await self._answer(
                Call(call.what, call.method, call.path, None, params, call.leaving, call.deadline)
            )
            entries = answer.result if isinstance(answer.result, list) else []
            found += entries
            if not entries or answer.total is None or len(found) >= answer.total:
                return found
            page += 1

    async def _answer(self, call: Call) -> Answer:
        end = self._clock.now() + call.deadline
        delay = FIRST_DELAY_S
        while True:
            error = await self._try(call, end)
            if isinstance(error, Answer):
                self._trusted = True
                return error
            wait = self._wait(call, error, delay)
            if wait is None or self._clock.now() + wait >= end:
                raise error
            await self._clock.sleep(wait)
            delay = min(delay * 2, LAST_DELAY_S)

    def _wait(self, call: Call, error: PortError, delay: float) -> float | None:
        """Seconds before the next attempt, None when another one is useless."""
        if isinstance(error, ApiError) and error.status == 403 and not self._trusted:
            return delay * (0.5 + self._random() / 2)  # a fresh token is refused for a while
        if error.refused:
            return None
        blocked = self._budget.wait(self._clock.now(), call.urgency)
        if not isinstance(error, ApiError | _SilenceError):  # refused by the budget, nothing was sent
            return blocked if call.leaving else None
        if isinstance(error, ApiError) and error.status == 429 and not call.leaving:
            return None
        if call.method == "POST" and not _never_sent(error):
            return None  # it may have been done: who asked looks first
        return max(blocked, delay * self._random())

    async def _try(self, call: Call, end: float) -> Answer | PortError:
        now = self._clock.now()
        try:
            self._budget.take(now, call.urgency)
        except PortError as error:
            return error
        bound = max(0.0, min(self._attempt, end - now))
        try:
            async with asyncio.timeout(bound):
                response = await self._http.request(
                    call.method, call.path, json=call.body, params=call.params
                )
        except TimeoutError:
            return _SilenceError(f"cannot {call.what}: no answer within {bound:.1f} s")
        except httpx.ConnectError as error:
            return _SilenceError(f"cannot {call.what}: cannot connect ({error})", sent=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _SilenceError(f"cannot {call.what}: {error or type(error).__name__}")
        return self._judge(call, decode(response))

    def _judge(self, call: Call, answer: Answer | Refusal) -> Answer | PortError:
        if isinstance(answer, Answer):
            return answer
        error = ApiError(f"cannot {call.what}: {answer.reason}", answer)
        if answer.status == 429:
            error.retry_after = self._budget.block(self._clock.now(), answer.retry_after)
        return error


class _SilenceError(PortError):
    """No answer. `sent` False: the other side cannot have seen the call."""

    def __init__(self, text: str, *, sent: bool = True) -> None:
        super().__init__(text)
        self.sent = sent


def _never_sent(error: PortError) -> bool:
    if isinstance(error, _SilenceError):
        return not error.sent
    return isinstance(error, ApiError) and error.status in {409, 429}
