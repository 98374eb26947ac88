"""The account API's answers through the real client and the own pool, over a transport in memory.

Crash is any exception but PortError. Wrong is: a view that an independent reading of the same JSON does not
give; a refusal of two answers without a fault; a `retry_after` that nobody can wait for; the token in a text.
"""

import asyncio
import math
from random import Random
from typing import Any

import httpx
from tests.fuzz import api_make, api_reference
from tests.fuzz.mutate import raw
from tests.fuzz.runner import Case, Judged

from inferagent.adapters.cloudflare.budget import Budget
from inferagent.adapters.cloudflare.client import Call, Client
from inferagent.adapters.cloudflare.own_pool import BALANCER_FRESH_S, OwnPool, Place
from inferagent.model.membership import MembershipView
from inferagent.ports import PortError

TOKEN = "v3ryPr1vateT0ken-of-the-laboratory-0123456"
BASE = "http://127.0.0.1:1/client/v4"
FAILS = {"connect": httpx.ConnectError, "read": httpx.ReadError, "protocol": httpx.RemoteProtocolError}


class JumpingClock:
    """Sleeps are jumps."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def boot(self) -> str:
        return "one"

    def wall(self) -> str:
        return ""

    async def sleep(self, seconds: float) -> None:
        if not seconds >= 0:
            raise ValueError(f"a sleep of {seconds}")
        self.at += seconds


class Script(httpx.AsyncBaseTransport):
    """Answers by path, one after another."""

    def __init__(self) -> None:
        self.pools: list[Case] = []
        self.balancer: list[Case] = []
        self.calls = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        script = self.balancer if "/zones/" in request.url.path else self.pools
        given = script.pop(0) if len(script) > 1 else script[0]
        if given["fails"] in FAILS:
            raise FAILS[given["fails"]]("it broke", request=request)
        headers = {"content-type": "application/json"}
        encoding = given.get("encoding") or ("gzip" if given["fails"] == "decoding" else "")
        headers |= {"content-encoding": encoding} if encoding else {}
        headers |= {"retry-after": given["after"].encode()} if given.get("after") else {}
        return httpx.Response(given["status"], headers=headers, stream=httpx.ByteStream(raw(given["body"])))


class Answers:
    name = "answers"

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._loop.close()

    def make(self, random: Random) -> Case:
        return api_make.make(random)

    def judge(self, case: Case) -> Judged:
        return self._loop.run_until_complete(_judge(case))


async def _judge(case: Case) -> Judged:
    clock, script = JumpingClock(), Script()
    client = Client(BASE, TOKEN, clock=clock, random=lambda: 0.5, budget=Budget(60), transport=script)
    own = OwnPool(client, Place("acc", "zone", case["own"], "lb"), clock)
    if case["primed"]:
        script.pools, script.balancer = ([one] for one in case["before"])
        try:
            await own.read()
        except PortError:
            return Judged("unknown")  # the host's pool is not among them: nothing to begin with
        clock.at += 2 * BALANCER_FRESH_S
    script.pools, script.balancer = list(case["pools"]), list(case["balancer"])
    script.calls, begun = 0, clock.at
    told, error = await _deed(case["deed"], client, own)
    await client.close()
    wrong = _limits(script.calls, clock.at - begun)
    if error is not None:
        wrong += _error(error)
    if case["deed"] == "read":
        wrong += _read(case, told, error)
    elif case["deed"] == "push":
        wrong += _pushed(case, error)
    return Judged("refused" if error else "accepted", tuple(wrong))


async def _deed(deed: str, client: Client, own: OwnPool) -> tuple[Any, PortError | None]:
    try:
        match deed:
            case "push":
                return await own.push(False), None
            case "pages":
                return await client.pages(Call("list", "GET", "/accounts/acc/load_balancers/pools")), None
            case _:
                return await own.read(), None
    except PortError as error:
        return None, error


def _limits(calls: int, seconds: float) -> list[str]:
    """However odd the answers are: a bounded number of calls, within the deadlines."""
    return [f"{calls} calls in {seconds:.0f} s"] if calls > 60 or seconds > 60 * 20.0 else []


def _error(error: PortError) -> list[str]:
    after, text = error.retry_after, str(error)
    wrong = [] if after is None or (math.isfinite(after) and after >= 0) else [f"retry_after is {after}"]
    wrong += [] if text.startswith("cannot ") else [f"the error begins oddly: {text[:80]}"]
    return [*wrong, "the token is in the error"] if TOKEN in text else wrong


def _good(given: Case) -> tuple[bool, Any]:
    """Whether the answer is a success, and its result."""
    if given["fails"]:
        return False, None
    return api_reference.result(given["status"], raw(given["body"]))


def _read(case: Case, told: MembershipView | None, error: PortError | None) -> list[str]:
    wanted = [api_reference.reading(pools, balancer, case["own"]) for pools, balancer in _possible(case)]
    views = [one.view for one in wanted if one.view is not None]
    if told is not None:
        return (
            []
            if told in views
            else [f"read {told}, not {views[0] if views else wanted[0].why if wanted else 'that'}"]
        )
    answers = (*case["pools"], *case["balancer"])
    # It may be unreadable; and after a 429 no other call is made.
    odd = any(one.get("encoding") or one["status"] == 429 for one in answers)
    sure = len(case["pools"]) == len(case["balancer"]) == 1 and len(views) == len(wanted) == 1 and not odd
    return [f"two good answers are refused: {error}"] if sure else []


def _possible(case: Case) -> list[tuple[Any, Any]]:
    """Every pair of results that the reader may have seen; a load balancer read before serves for a while."""
    pools = [result for fine, result in map(_good, case["pools"]) if fine]
    scripts = [*case["balancer"], *([case["before"][1]] if case["primed"] else [])]
    balancers = [result for fine, result in map(_good, scripts) if fine]
    return [(one, other) for one in pools for other in balancers]


def _pushed(case: Case, error: PortError | None) -> list[str]:
    """A write is done when one answer says so, and only then."""
    fine = [_good(one)[0] for one in case["pools"]]
    if error is None:
        return [] if any(fine) else ["a write is called done that no answer confirms"]
    return ["a confirmed write is called failed"] if fine[0] and not case["pools"][0].get("encoding") else []
