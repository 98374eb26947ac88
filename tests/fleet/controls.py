"""Each safety rule switched off: out of the list, or its one line where it lives outside the decision."""

from dataclasses import replace
from typing import Any

from tests.fleet.disk import DiskState
from tests.fleet.fleet import Fleet
from tests.fleet.life import WatchedLoop
from tests.fleet.story import Judged, Story, tell

from inferagent.adapters.cloudflare.client import Call
from inferagent.adapters.cloudflare.own_pool import OwnPool
from inferagent.model.desired import Hold
from inferagent.model.membership import MembershipView
from inferagent.policy.rules import RULES
from inferagent.policy.wake import wake

SAFETY = tuple(f"S{number}" for number in range(1, 17))


class WritesAll(OwnPool):
    """Writes back the whole object as it was read once (S4)."""

    _read: dict[str, Any] | None = None

    async def read(self) -> MembershipView:
        found = await super().read()
        if self._read is None:
            pools = await self._client.call(Call("read the pools", "GET", self._pools))
            self._read = next(pool for pool in pools if pool["id"] == self._place.pool)
            self._read["origins"] = [dict(entry) for entry in self._read["origins"]]
        return found

    async def push(self, member: bool) -> None:
        path = f"{self._pools}/{self._place.pool}"
        body = {**(self._read or {}), "enabled": member}
        await self._client.call(Call("write the pool", "PATCH", path, body=body, leaving=not member))


class BeginsAnew(WatchedLoop):
    """Takes no saved phase up (S10)."""

    def begin(self) -> None:
        super().begin()
        self._saved = wake(None, self.clock.now(), self.clock.boot())


class HoldsInMemory(DiskState):
    """Answers before the hold is anywhere but in memory (S13)."""

    def save_hold(self, hold: Hold | None) -> None:
        if hold is None:
            super().save_hold(hold)


class S4Off(Fleet):
    own_pool = WritesAll


class S10Off(Fleet):
    loop_class = BeginsAnew


class S13Off(Fleet):
    def state_port(self, state: DiskState) -> DiskState:
        return HoldsInMemory(state._disk, state._effect)


OUTSIDE: dict[str, type[Fleet]] = {"S4": S4Off, "S10": S10Off, "S13": S13Off}


def tell_without(name: str, story: Story) -> Judged:
    """The same story with that rule switched off."""
    rules = tuple(rule for rule in RULES if rule.name != name or name in OUTSIDE)
    return tell(replace(story, heals=False), rules, OUTSIDE.get(name, Fleet))
