"""What several faults do to agents, and ask of the account about them."""

import asyncio
from typing import Any

from tests.matrix.stage import Stage

from inferagent.lab.demo.host import Host

AWAY = 2.0  # seconds until a supervisor starts a dead agent again
LOOK = 0.02


async def absent(host: Host, seconds: float = AWAY) -> None:
    """As its supervisor would: start an agent that has died, after a while."""
    await asyncio.sleep(seconds)
    await host.start_agent()


async def drain(host: Host, *words: str) -> str:
    """Told to leave by its operator; what was answered. Raises CommandError when refused."""
    return await host.command("drain", "--config", str(host.config), "--reason", "matrix", *words)


async def resume(host: Host) -> None:
    await host.command("resume", "--config", str(host.config))


async def in_phase(host: Host, phase: str, seconds: float = 30.0) -> None:
    """Looked at closely: some phases are short."""
    last = ""
    try:
        async with asyncio.timeout(seconds):
            while last != phase:
                last = (await host.status() or {}).get("phase", "")
                await asyncio.sleep(LOOK)
    except TimeoutError:
        raise AssertionError(f"{host.name} not {phase} within {seconds:.0f} s but {last}") from None


async def findings(host: Host) -> list[str]:
    """The codes that its status shows; [] while its agent does not answer."""
    return [str(one["code"]) for one in (await host.status() or {}).get("findings", ())]


async def writes(stage: Stage, host: Host | None = None) -> list[Any]:
    """The bodies of what was written to that host's pool (the struck one's) since the strike."""
    pool = (await stage.world.pool(host or stage.host))["id"]
    journal = (await stage.world.ask("GET", "/journal"))[stage.notes["journal"] :]
    return [write["body"] for write in journal if write["path"].endswith(f"/{pool}")]


async def unwritten(stage: Stage) -> list[str]:
    """Problems: an agent that ends or begins changes nothing."""
    written = await writes(stage)
    return [f"the pool was written {len(written)}×: {written}"] if written else []


def phases(stage: Stage) -> list[str]:
    """Those that were seen since the strike, each once, in their order."""
    return list(dict.fromkeys(moment.phase for moment in stage.watch.since(stage.struck) if moment.phase))
