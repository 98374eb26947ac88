"""The pools' API as one host's token reaches it: what the real adapter calls, with every way to fail."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fleet.edge import Edge, Pool

from inferagent.adapters.cloudflare.budget import Budget
from inferagent.adapters.cloudflare.client import Call
from inferagent.ports import Clock, PortError

HANGS = 3600.0
AT_LEAST = 0.02  # seconds: even a refusal of our own takes a moment
RATE, WINDOW = 1200, 300.0


@dataclass(frozen=True, slots=True)
class Landed:
    """A write that reached a pool, at `now` of the fleet; `kept` False: more than `enabled` moved."""

    now: float
    host: str
    pool: str
    enabled: bool
    kept: bool


@dataclass
class Account:
    """What all tokens of one user share: the objects, the rate, and the log of what landed."""

    edge: Edge
    now: Callable[[], float]
    calls: list[float] = field(default_factory=list)
    landed: list[Landed] = field(default_factory=list)
    down: bool = False
    blocked_until: float = 0.0
    read_wait: float = 0.0

    def count(self) -> None:
        """Past the rate every call of the user is refused for a window."""
        now = self.now()
        self.calls.append(now)
        recent = sum(at > now - WINDOW for at in self.calls[-RATE - 1 :])
        if recent > RATE:
            self.blocked_until = now + WINDOW


@dataclass
class Line:
    """One host's way to the API. `writes`: ok | refused | lost | late (no answer, lands `late` s later) |
    late-answered. `token` False: revoked."""

    token: bool = True
    cut: bool = False  # hangs
    writes: str = "ok"
    late: float = 60.0
    latency: float = 0.15


class Token:
    """Stands where the real client stands; one attempt a call, with the real budget of calls."""

    def __init__(self, account: Account, line: Line, host: str, clock: Clock, budget: Budget) -> None:
        self._account, self._line, self._host, self._clock = account, line, host, clock
        self._budget = budget

    async def call(self, call: Call) -> Any:
        await asyncio.sleep(AT_LEAST)
        self._budget.take(self._clock.now(), call.urgency)
        try:
            async with asyncio.timeout(call.deadline):
                return await self._answer(call)
        except TimeoutError:
            raise PortError(f"cannot {call.what}: no answer within {call.deadline:.0f} s") from None

    async def _answer(self, call: Call) -> Any:
        line, account = self._line, self._account
        if line.cut or account.down:
            await asyncio.sleep(HANGS)
        account.count()
        await asyncio.sleep(line.latency)
        if account.now() < account.blocked_until:
            self._budget.block(self._clock.now(), account.blocked_until - account.now())
            raise PortError("cannot call: 429", retry_after=account.blocked_until - account.now())
        if not line.token:
            raise PortError(f"cannot {call.what}: 403", refused=True)
        return self._read(call.path) if call.method == "GET" else await self._write(call)

    def _read(self, path: str) -> Any:
        edge = self._account.edge
        if "load_balancers/pools" not in path:
            return dict(edge.balancer)
        return [dict(pool.entry) for pool in edge.pools]

    async def _write(self, call: Call) -> None:
        line, account = self._line, self._account
        pool = account.edge.pool(call.path.rsplit("/", 1)[-1])
        if pool is None or not isinstance(call.body, dict):
            raise PortError("cannot write: 404", refused=True)
        if line.writes == "refused":
            raise PortError(f"cannot {call.what}: 403", refused=True)
        if line.writes == "lost":
            await asyncio.sleep(HANGS)
        if line.writes.startswith("late"):
            loop = asyncio.get_running_loop()
            loop.call_later(line.late, self._land, pool, call.body)
            if line.writes == "late":
                await asyncio.sleep(HANGS)
            return
        self._land(pool, call.body)

    def _land(self, pool: Pool, body: dict[str, Any]) -> None:
        account = self._account
        before = {key: value for key, value in pool.entry.items() if key not in ("enabled", "healthy")}
        enabled = bool(body.get("enabled", pool.enabled))
        pool.entry.update({key: value for key, value in body.items() if key != "enabled"})
        account.edge.set_enabled(pool, enabled, account.now())
        after = {key: value for key, value in pool.entry.items() if key not in ("enabled", "healthy")}
        own = pool.name == self._host
        account.landed.append(Landed(account.now(), self._host, pool.name, enabled, own and before == after))
