"""The engine dies while something is wrong with the account's API.

The verdict takes the host out, and the write to the pool is tried again until the pool has it or the host is
back.
"""

import time
from typing import ClassVar

from tests.matrix.account import calls, may_only_read, turns, words
from tests.matrix.api_deeds import RETURNS, once, stays_so, until_routed, until_written
from tests.matrix.fault import fault
from tests.matrix.faults.api import Api, Api401, Api500, ApiBlock, ApiGarbage, ApiHang, ApiReset
from tests.matrix.stage import Stage


class EngineKilled(Api):
    """The host is routed to again before the API is: its pool was never told."""

    async def strike(self, stage: Stage) -> None:
        await super().strike(stage)
        stage.host.kill_engine()

    async def heal(self, stage: Stage) -> None:
        try:
            if stage.out is not None:
                await self._while_lost(stage)
        finally:
            await super().heal(stage)

    async def _while_lost(self, stage: Stage) -> None:
        await until_routed(stage)

    async def check(self, stage: Stage) -> list[str]:
        tried = await calls(stage.world, stage.host, stage.notes["since"], "PATCH")
        return [*once(stage), *([] if tried else ["it never tried to tell the pool"])]


@fault("api-401-killed")
class Api401Killed(EngineKilled):
    fields: ClassVar = Api401.fields


@fault("api-garbage-killed")
class ApiGarbageKilled(EngineKilled):
    fields: ClassVar = ApiGarbage.fields


@fault("api-hang-killed")
class ApiHangKilled(EngineKilled):
    fields: ClassVar = ApiHang.fields


@fault("api-reset-killed")
class ApiResetKilled(EngineKilled):
    fields: ClassVar = ApiReset.fields


@fault("api-block-killed")
class ApiBlockKilled(EngineKilled):
    """No write is needed where the host is back before the block is over."""

    everybody = True
    fields: ClassVar = ApiBlock.fields

    async def check(self, stage: Stage) -> list[str]:
        return [*once(stage), *await ApiBlock().check(stage)]


@fault("pull-killed")
class PullKilled(EngineKilled):
    """No host of this membership has a token, so that an API that refuses everybody is nothing to it."""

    everybody = True
    fields: ClassVar = {"kind": "status", "status": 500}

    async def check(self, stage: Stage) -> list[str]:
        asked = await calls(stage.world, stage.host, stage.notes["since"])
        kept = [file.name for file in (stage.host.config / "credentials").iterdir() if "api" in file.name]
        told = [f"it asked the API, or has a token: {asked} {kept}"] if asked or kept else []
        return [*once(stage), *told]


@fault("api-writes-refused-killed")
class ApiWritesRefused(EngineKilled):
    """The token may read and no longer write: the host leaves and comes back without one write."""

    async def strike(self, stage: Stage) -> None:
        stage.notes["since"] = time.time()
        await may_only_read(stage.world, stage.host)
        stage.host.kill_engine()

    async def check(self, stage: Stage) -> list[str]:
        applied = await words(stage.world, stage.host, stage.notes["since"])
        return [*await super().check(stage), *([f"it wrote {applied}"] if applied else [])]


@fault("api-reads-lost-killed")
class ApiReadsLost(EngineKilled):
    """Writes pass, readings do not: the host leaves at once, and enables nothing that it has not read."""

    fields: ClassVar = {"kind": "status", "status": 500, "method": "GET"}

    async def _while_lost(self, stage: Stage) -> None:
        await until_written(stage)
        await stays_so(stage, False, 12.0, "let in without a reading,")
        applied = await words(stage.world, stage.host, stage.notes["since"])
        assert True not in applied, "the pool was enabled without a reading"


class EngineDiesTwice(Api):
    """Its second life ends at its begin, so that the host is out for longer than the API is lost."""

    async def strike(self, stage: Stage) -> None:
        await super().strike(stage)
        first = stage.host.pid("engine")
        stage.host.kill_engine()

        async def lives_again() -> bool:
            return stage.host.pid("engine") not in (0, first)

        await stage.until(lives_again, "a second life of the engine")
        stage.host.kill_engine()

    async def heal(self, stage: Stage) -> None:
        try:
            if stage.out is not None:
                await self._while_lost(stage)
        finally:
            await super().heal(stage)
        if stage.out is not None:
            await until_written(stage)

    async def check(self, stage: Stage) -> list[str]:
        return once(stage)

    async def _while_lost(self, stage: Stage) -> None:
        async def tried_again() -> bool:
            return len(await calls(stage.world, stage.host, stage.notes["since"], "PATCH")) >= 3

        await stage.until(tried_again, "the write is tried again")
        assert (await stage.world.pool(stage.host))["enabled"], "the pool was told through a lost API"


@fault("api-500-dies-twice")
class Api500DiesTwice(EngineDiesTwice):
    fields: ClassVar = Api500.fields


class Delayed(EngineKilled):
    """What is written or read is late; the host is back and steady under it, without a war of writes."""

    most_turns = 2

    async def _while_lost(self, stage: Stage) -> None:
        await stage.serving(seconds=RETURNS)
        await stays_so(stage, True, 12.0, "left again")

    async def check(self, stage: Stage) -> list[str]:
        since = stage.notes["since"]
        said = await words(stage.world, stage.host, since)
        asked = await calls(stage.world, stage.host, since, "PATCH")
        found = [] if asked else ["it never tried to tell the pool"]
        if turns(said) > self.most_turns or len(asked) > 12:
            found.append(f"a war of writes: {len(asked)} calls, applied {said}")
        return found


@fault("api-late-killed")
class ApiLate(Delayed):
    """Each write is applied 4 s later and never answered, so it is repeated, and that is late too."""

    most_turns = 4
    fields: ClassVar = {"kind": "late", "seconds": 4, "answer": "hang"}


@fault("api-stale-killed")
class ApiStale(Delayed):
    """Readings show what was 6 s ago."""

    seconds = 6.0
    fields: ClassVar = {"kind": "stale", "seconds": seconds}

    async def strike(self, stage: Stage) -> None:
        await stays_so(stage, True, self.seconds + 1.0, "left before the fault,")
        stage.struck = stage.now
        await super().strike(stage)
