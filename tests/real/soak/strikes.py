"""How each fault is struck, for real: signals to processes, orders to the edge and the account, commands."""

import asyncio
import signal

from tests.real.soak.fault import Strike
from tests.real.soak.scene import Scene

from inferagent.lab.processes import below, kill, session_of

CONNECTOR_STOPPED, EDGE_AWAY, AGENT_AWAY, AGENT_STOPPED, API_ILL = 20.0, 40.0, 8.0, 15.0, 15.0  # seconds
TOLD = 60.0  # seconds for `drain --wait` and the like
HELD = 5.0  # seconds for which an operator keeps the host out


# the engine


async def main_killed(scene: Scene) -> None:
    await scene.loaded()
    scene.blow()
    scene.host.kill_engine()


async def worker_killed(scene: Scene) -> None:
    worker = await scene.loaded()
    scene.blow()
    kill(worker.pid)


async def worker_stopped(scene: Scene) -> None:
    worker = await scene.loaded()
    scene.blow()
    kill(worker.pid, signal.SIGSTOP)


async def all_stopped(scene: Scene) -> None:
    """The main process first, so that it starts nobody else meanwhile."""
    await scene.loaded()
    main = scene.host.pid("engine")
    scene.blow()
    for process in (*session_of(main), *below(main)):
        kill(process.pid, signal.SIGSTOP)


async def killed_without_api(scene: Scene) -> None:
    """The agent's own token gets 503 from before the blow until the edge has let the host go."""
    await scene.loaded()
    await scene.world.fault(kind="status", status=503, token=scene.host.token)
    try:
        scene.blow()
        scene.host.kill_engine()
        await scene.gone()
    finally:
        await scene.world.mend()


async def killed_without_state(scene: Scene) -> None:
    """A file stands where the state folder was: nothing can be saved, nor read, until it is put back."""
    await scene.loaded()
    state = scene.host.folder / "state"
    aside = state.with_name("state.aside")
    state.rename(aside)
    state.touch()
    try:
        scene.blow()
        scene.host.kill_engine()
        await scene.gone()
    finally:
        state.unlink()
        aside.rename(state)


# the connector and the edge


async def connector_killed(scene: Scene) -> None:
    scene.blow()
    kill(scene.host.pid("connector"))


async def connector_stopped(scene: Scene) -> None:
    pid = scene.host.pid("connector")
    scene.blow()
    kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(CONNECTOR_STOPPED)
    finally:
        kill(pid, signal.SIGCONT)


async def edge_refuses(scene: Scene) -> None:
    scene.blow()
    await scene.edge(do="edge", state="refuse")
    try:
        await asyncio.sleep(EDGE_AWAY)
    finally:
        await scene.edge(do="edge", state="up")


async def edge_cuts(scene: Scene) -> None:
    tunnel = await scene.tunnel()
    scene.blow()
    await scene.edge(do="cut", tunnel=tunnel)


# the agent


async def agent_killed(scene: Scene) -> None:
    await _agent_away(scene, signal.SIGKILL, AGENT_AWAY)


async def agent_ended(scene: Scene) -> None:
    """In order, and the next one at once: as an upgrade does."""
    await _agent_away(scene, signal.SIGTERM, 0.0)


async def _agent_away(scene: Scene, which: signal.Signals, seconds: float) -> None:
    scene.blow()
    await scene.host.kill_agent(which)
    await asyncio.sleep(seconds)
    await scene.start_agent(scene.host)


async def agent_stopped(scene: Scene) -> None:
    agent = scene.host.agent
    assert agent is not None, "no agent runs"
    scene.blow()
    agent.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(AGENT_STOPPED)
    finally:
        agent.signal(signal.SIGCONT)


# the account


def api(**ill: object) -> Strike:
    """The account answers the soaked host's token so; everybody else as usual."""

    async def strike(scene: Scene) -> None:
        scene.blow()
        await scene.world.fault(token=scene.host.token, **ill)
        try:
            await asyncio.sleep(API_ILL)
        finally:
            await scene.world.mend()

    return strike


# the operator


def operator(*words: str) -> Strike:
    """`inferagent …`, which waits for its end, then `inferagent resume`."""

    async def strike(scene: Scene) -> None:
        if "--stop-engine" in words or "lend" in words:
            await scene.loaded()
        scene.blow()
        where = ("--config", str(scene.host.config))
        told = ("--wait", "--reason", "soak", "--limit", f"{TOLD:.0f}s")
        await scene.host.command(words[0], *where, *words[1:], *told)
        if "--stop-engine" in words:
            await scene.until("the engine is stopped", lambda: _stopped(scene), TOLD)
        await asyncio.sleep(HELD)
        await scene.host.command("resume", *where)

    return strike


async def _stopped(scene: Scene) -> bool:
    return scene.host.pid("engine") == 0
