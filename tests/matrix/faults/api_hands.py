"""Other hands in the account: they disable, enable, delete and change what belongs to a host."""

import time

from tests.matrix.account import delete_pool, edit_pool, turns, words
from tests.matrix.api_deeds import drain, finding, in_phase, restart_agent, resume, stays_so
from tests.matrix.fault import Fault, fault
from tests.matrix.stage import Stage

ELSEWHERE = "5e1f0000-0000-4000-8000-000000000000.cfargotunnel.com"
STEADY = 8.0


class Disabled(Fault):
    """Another hand disables the pool; nothing of ours enables it again."""

    async def strike(self, stage: Stage) -> None:
        stage.notes["since"] = time.time()
        await edit_pool(stage.world, stage.host, enabled=False)

    async def heal(self, stage: Stage) -> None:
        if stage.out is not None:
            await in_phase(stage, "out")
            await stays_so(stage, False, STEADY, "enabled against another hand,")
            wrote = await words(stage.world, stage.host, stage.notes["since"])
            assert True not in wrote, "it enabled a pool that another hand disabled"
        await self._end(stage)

    async def _end(self, stage: Stage) -> None:
        raise NotImplementedError


@fault("dashboard-disables")
class DashboardDisables(Disabled):
    """That hand takes its word back."""

    async def _end(self, stage: Stage) -> None:
        await edit_pool(stage.world, stage.host, enabled=True)


@fault("dashboard-disables-resume")
class DashboardDisablesResume(Disabled):
    """The operator overrules it."""

    async def _end(self, stage: Stage) -> None:
        await resume(stage)


@fault("dashboard-enables-held")
class DashboardEnablesHeld(Fault):
    async def strike(self, stage: Stage) -> None:
        await drain(stage, "--wait")
        stage.notes["since"] = time.time()
        await edit_pool(stage.world, stage.host, enabled=True)

        async def disabled_again() -> bool:
            return False in await words(stage.world, stage.host, stage.notes["since"])

        await stage.until(disabled_again, "the pool of a held host is disabled again", 10.0)

    async def heal(self, stage: Stage) -> None:
        if stage.out is not None:
            await stays_so(stage, False, STEADY, "let in although it is held,")
        stage.notes["said"] = turns(await words(stage.world, stage.host, stage.notes["since"]))
        await resume(stage)

    async def check(self, stage: Stage) -> list[str]:
        told = await stage.host.command("events", "--config", str(stage.host.config))
        found = [] if "another hand enabled" in told else ["events say nothing of the other hand"]
        return [*found, *(["more than one word to the pool"] if stage.notes["said"] != 1 else [])]


@fault("pool-deleted")
class PoolDeleted(Fault):
    """The host's own pool is gone: it stays as it is, and says what helps; `setup` makes another."""

    async def strike(self, stage: Stage) -> None:
        await delete_pool(stage.world, stage.host)

    async def heal(self, stage: Stage) -> None:
        if stage.out is None:
            return
        await finding(stage, "membership-unknown")
        status = await stage.status()
        assert status["verdict"], "it turned its verdict although nothing of it is ill"
        await stage.host.setup(stage.world.info)
        await restart_agent(stage.host)


@fault("monitor-removed")
class MonitorRemoved(Fault):
    """It stays so to the end: put back, the monitor would know nothing at first, which is down."""

    async def strike(self, stage: Stage) -> None:
        await edit_pool(stage.world, stage.host, monitor="")

    async def check(self, stage: Stage) -> list[str]:
        asked = ("doctor", "--config", str(stage.host.config), "--only", "monitor.there")
        said = await stage.host.command(*asked, allowed=(0, 1, 3))
        return [] if "no monitor" in said else [f"doctor does not name the monitor: {said}"]


@fault("endpoint-elsewhere")
class EndpointElsewhere(Fault):
    async def strike(self, stage: Stage) -> None:
        entries = (await stage.world.pool(stage.host))["origins"]
        wrong = [{**entry, "address": ELSEWHERE} for entry in entries]
        await edit_pool(stage.world, stage.host, origins=wrong)

    async def heal(self, stage: Stage) -> None:
        try:
            await finding(stage, "not-effective")
        finally:
            await stage.host.setup(stage.world.info)
