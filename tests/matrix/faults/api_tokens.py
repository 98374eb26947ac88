"""Tokens that come and go, writes that are refused, and an API that is not there at all."""

import socket

from tests.matrix.account import may_only_read, revoke
from tests.matrix.api_deeds import (
    drain,
    finding,
    in_phase,
    restart_agent,
    resume,
    told_with_cure,
    until_routed,
    until_written,
)
from tests.matrix.fault import Fault, fault
from tests.matrix.faults.api import ApiBlock
from tests.matrix.stage import Stage


async def new_token(stage: Stage) -> None:
    """What the operator does: a new token, `setup` puts it in place, the agent is started anew."""
    await stage.world.own_token(stage.host)
    await stage.host.setup(stage.world.info)
    await restart_agent(stage.host)


@fault("token-revoked")
class TokenRevoked(Fault):
    async def strike(self, stage: Stage) -> None:
        await revoke(stage.world, stage.host)

    async def heal(self, stage: Stage) -> None:
        try:
            await told_with_cure(stage)
        finally:
            await new_token(stage)


@fault("token-new")
class TokenNew(Fault):
    """A token that was just made is refused for some seconds."""

    waits_for_serving = False

    async def strike(self, stage: Stage) -> None:
        await stage.world.fault(kind="status", status=403, token=stage.host.token)

    async def heal(self, stage: Stage) -> None:
        await finding(stage, "membership-unknown")
        await stage.world.mend()


@fault("token-revoked-mid-drain")
class TokenRevokedMidDrain(Fault):
    """It loses the right to write, then all rights, between the operator's word and the end of the drain."""

    async def strike(self, stage: Stage) -> None:
        await may_only_read(stage.world, stage.host)
        await drain(stage)
        await in_phase(stage, "draining")
        await revoke(stage.world, stage.host)

    async def heal(self, stage: Stage) -> None:
        try:
            await in_phase(stage, "out")
            assert (await stage.world.pool(stage.host))["enabled"], "the pool was told without a token"
        finally:
            await new_token(stage)
        await until_written(stage)
        await resume(stage)


@fault("api-conflict-drain")
class Conflict(Fault):
    """The writes of a drain meet 409, those of its end 412."""

    async def strike(self, stage: Stage) -> None:
        await self._refuse(stage, 409)
        await drain(stage, "--wait")

    async def heal(self, stage: Stage) -> None:
        await self._refuse(stage, 412)
        await resume(stage)

    async def _refuse(self, stage: Stage, status: int) -> None:
        refused = {"kind": "status", "status": status, "count": 2, "writes_only": True}
        await stage.world.fault(**refused, token=stage.host.token)

    async def check(self, stage: Stage) -> list[str]:
        left = await stage.world.ask("GET", "/faults")
        return [f"a write was not tried again: {left}"] if left else []


@fault("api-block-drain")
class ApiBlockDrain(ApiBlock):
    """No write can be made within the block: the verdict takes the host out, the write follows."""

    async def strike(self, stage: Stage) -> None:
        await super().strike(stage)
        await drain(stage, "--last")

    async def heal(self, stage: Stage) -> None:
        if stage.out is not None:
            await until_written(stage)
        await super().heal(stage)
        await resume(stage)


class ApiGone(Fault):
    """The API's address leads to a port at which nobody listens, as for a name that does not resolve."""

    async def _cut_off(self, stage: Stage) -> None:
        held = socket.socket()  # bound and not listening: no other program can take the port
        held.bind(("127.0.0.1", 0))
        stage.notes["held"] = held
        here = f'[membership]\napi = "http://127.0.0.1:{held.getsockname()[1]}/client/v4"\n'
        folder = stage.host.config / "conf.d"
        folder.mkdir(exist_ok=True)
        (folder / "api.toml").write_text(here)

    async def heal(self, stage: Stage) -> None:
        try:
            await self._while_lost(stage)
        finally:
            (stage.host.config / "conf.d" / "api.toml").unlink()
            stage.notes["held"].close()
            await restart_agent(stage.host)

    async def _while_lost(self, stage: Stage) -> None:
        """Whatever must hold before the API is there again."""


@fault("api-gone-at-first-boot")
class ApiGoneFirst(ApiGone):
    waits_for_serving = False

    async def strike(self, stage: Stage) -> None:
        await self._cut_off(stage)


@fault("api-gone-agent-restarts")
class ApiGoneRestart(ApiGone):
    async def strike(self, stage: Stage) -> None:
        await self._cut_off(stage)
        await restart_agent(stage.host)


@fault("api-gone-host-returns")
class ApiGoneReturn(ApiGone):
    async def strike(self, stage: Stage) -> None:
        await self._cut_off(stage)
        await stage.host.vanish()

    async def _while_lost(self, stage: Stage) -> None:
        if stage.out is not None:
            await stage.host.start_agent()
            await until_routed(stage)
