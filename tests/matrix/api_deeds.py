"""What the rows of the API do as an operator does it, and what they wait for at the struck host."""

import signal

from tests.matrix.stage import Stage
from tests.matrix.watch import departures
from tests.support.scenario import routed

from inferagent.lab.demo.host import Host

RETURNS = 60.0  # seconds until a host whose engine was killed once is routed to again, whatever the API does
WRITES = 25.0  # seconds until the pool has a write that was refused before, once the API is well
TOLD = 45.0  # seconds until a pool that cannot be read any more is said to be so: a reading holds for 30


async def restart_agent(host: Host) -> None:
    await host.kill_agent(signal.SIGTERM)
    await host.start_agent()


async def drain(stage: Stage, *more: str) -> None:
    await stage.host.command("drain", "--config", str(stage.host.config), "--reason", "matrix", *more)


async def resume(stage: Stage) -> None:
    await stage.host.command("resume", "--config", str(stage.host.config))


async def in_phase(stage: Stage, phase: str, seconds: float = 40.0) -> None:
    async def holds() -> bool:
        return (await stage.status()).get("phase") == phase

    await stage.until(holds, f"phase {phase}", seconds)


async def finding(stage: Stage, code: str, seconds: float = TOLD) -> None:
    async def told() -> bool:
        return any(one["code"] == code for one in (await stage.status()).get("findings", ()))

    await stage.until(told, f"status tells {code}", seconds)


async def until_routed(stage: Stage) -> None:
    async def back() -> bool:
        return await routed(stage.world, stage.host)

    await stage.until(back, "routed to again although the API is lost", RETURNS)


async def until_written(stage: Stage) -> None:
    async def disabled() -> bool:
        return not (await stage.world.pool(stage.host))["enabled"]

    await stage.until(disabled, "the pool has the write that was refused before", WRITES)


async def stays_so(stage: Stage, inside: bool, seconds: float, verb: str) -> None:
    """AssertionError when the host's place at the edge changes within these seconds."""
    end = stage.now + seconds

    async def over() -> bool:
        assert await routed(stage.world, stage.host) is inside, (
            f"{verb} {seconds - (end - stage.now):.1f} s on"
        )
        return stage.now >= end

    await stage.until(over, "the watch ends", seconds + 30.0)


async def told_with_cure(stage: Stage) -> None:
    """`status` says that the pool cannot be read, what to do, and how old the last reading is."""
    status = await stage.status()
    cures = [one["cure"] for one in status["findings"] if one["code"] == "membership-unknown"]
    assert any(cures), f"no cure for a pool that cannot be read: {status['findings']}"
    assert status["membership"]["age"] > 20, "the age of the last reading is not told"


def once(stage: Stage) -> list[str]:
    """A host that is back was disabled by a write that was still on its way."""
    left = departures(stage.watch.since(stage.struck))
    return [f"it left {left} times for one fault"] if left > 1 else []
