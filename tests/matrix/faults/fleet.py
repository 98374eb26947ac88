"""What strikes several hosts of one endpoint at once, the last of them, or what they know of each other."""

import asyncio
import json
import sys
from typing import Any

from tests.matrix import cage
from tests.matrix.agents import drain, findings, in_phase, resume, writes
from tests.matrix.copied import copied
from tests.matrix.fault import Fault, fault
from tests.matrix.stage import Stage

from inferagent.lab import traffic
from inferagent.lab.demo.host import CommandError, Host
from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.processes import Program

POOLS = "/load_balancers/pools$"


@fault("agent-twice")
class AgentTwice(Fault):
    """A second agent of this very host: it must see the first and end."""

    async def strike(self, stage: Stage) -> None:
        words = ("run", "--config", str(stage.host.config))
        try:
            said = await stage.host.command(*words, allowed=(1,))
        except CommandError as error:
            said = str(error)
        self.wrong = [] if "another agent" in said else [f"the second agent said: {said}"]

    async def check(self, stage: Stage) -> list[str]:
        written = await writes(stage)
        return [*self.wrong, *(f"the pool was written: {body}" for body in written)]


@fault("machine-copied")
class MachineCopied(Fault):
    """A copy of the machine runs: same configuration, state, token and tunnel, another machine id."""

    copy: Host

    async def before(self, stage: Stage) -> None:
        cage.agent_prefix()  # where there are no namespaces, nothing needs to be started

    async def start(self, stage: Stage) -> None:
        self.copy = copied(stage.world, stage.host)

    async def strike(self, stage: Stage) -> None:
        await self.bring_up(stage)

    async def bring_up(self, stage: Stage) -> None:
        state = self.copy.folder / "state"
        state.mkdir(exist_ok=True)
        for file in (stage.host.folder / "state").glob("*.json*"):
            (state / file.name).write_bytes(file.read_bytes())
        await self.copy.start_agent()

    async def check(self, stage: Stage) -> list[str]:
        status, codes = await self.copy.status() or {}, await findings(self.copy)
        found = [f"the pool was written: {body}" for body in await writes(stage)]
        if "two-agents" not in codes:
            found.append(f"the copy does not find two-agents but {codes}: {status.get('sentence')}")
        if status.get("phase") != "out":
            found.append(f"the copy is {status.get('phase')}")
        if "two-agents" in await findings(stage.host):
            found.append("the original doubts itself")
        return found


@fault("machine-copy-drained")
class MachineCopyDrained(MachineCopied):
    """The operator takes the copy for the original, and tells it to leave."""

    async def strike(self, stage: Stage) -> None:
        await self.bring_up(stage)
        await in_phase(self.copy, "out")
        await drain(self.copy, "--last")


@fault("both-hang")
class BothHang(Fault):
    """The engine of every host stands still under traffic. No user can be served: nobody's loss is judged."""

    wants_traffic = False

    async def strike(self, stage: Stage) -> None:
        world, log = stage.world, stage.host.folder / "users.log"
        argv = [
            sys.executable,
            str(traffic.__file__),
            "--url",
            world.info["public"],
            "--host",
            world.public_host,
        ]
        argv += ["--model", PUBLIC_NAME, "--rate", "3", "--seconds", "600", "--early-stop"]
        users = await Program.start(argv, {}, log)
        stage.endings.push_async_callback(users.end)
        await asyncio.sleep(3.0)  # some of them are being answered
        stage.struck = stage.now
        for host in (stage.host, *stage.peers):
            assert host.hang_engine(), f"{host.name} has no engine to stop"

    async def check(self, stage: Stage) -> list[str]:
        for peer in stage.peers:
            await stage.serving(peer, 90)
        return await emptied(stage)


@fault("both-killed")
class BothKilled(Fault):
    """Each still reads the other as effective: both may disable their pools, and both must come back."""

    wants_traffic = False

    async def strike(self, stage: Stage) -> None:
        for host in (stage.host, *stage.peers):
            host.kill_engine()

    async def check(self, stage: Stage) -> list[str]:
        for peer in stage.peers:
            await stage.serving(peer, 60)
        return []


async def emptied(stage: Stage) -> list[str]:
    """The pools as the account had them after each write since the strike: one at least is enabled."""
    enabled = {(await stage.world.pool(host))["id"]: True for host in (stage.host, *stage.peers)}
    found = []
    for write in (await stage.world.ask("GET", "/journal"))[stage.notes["journal"] :]:
        pool, body = write["path"].rpartition("/")[2], write["body"] or {}
        if pool in enabled and "enabled" in body:
            enabled[pool] = bool(body["enabled"])
        if not any(enabled.values()):
            found.append("every pool of the endpoint was disabled")
    return found


@fault("last-host-killed")
class LastHostKilled(Fault):
    async def strike(self, stage: Stage) -> None:
        stage.host.kill_engine()

    async def check(self, stage: Stage) -> list[str]:
        return [f"the only host's pool was written: {body}" for body in await writes(stage)]


@fault("monitor-paused")
class MonitorPaused(Fault):
    """The monitor looks at nobody any more; what it last said stands."""

    async def strike(self, stage: Stage) -> None:
        await stage.world.ask("POST", "/edge", {"do": "monitors", "paused": True})

    async def heal(self, stage: Stage) -> None:
        await stage.world.ask("POST", "/edge", {"do": "monitors", "paused": False})


@fault("monitor-paused-engine-killed")
class MonitorPausedEngineKilled(MonitorPaused):
    """Then only the agent takes the host out."""

    async def strike(self, stage: Stage) -> None:
        await super().strike(stage)
        stage.host.kill_engine()


@fault("monitor-says-nothing")
class MonitorSaysNothing(Fault):
    """The account's list of pools tells no health of anybody, as it does before a monitor's first look."""

    healthy: bool | None = None

    async def strike(self, stage: Stage) -> None:
        state = await stage.world.ask("GET", "/state")
        pools = [{**pool, "healthy": self.healthy} for pool in state["pools"].values()]
        body = json.dumps({"success": True, "errors": [], "messages": [], "result": pools})
        await stage.world.fault(kind="garbage", method="GET", path=POOLS, body=body)

    async def heal(self, stage: Stage) -> None:
        await stage.world.mend()


@fault("monitor-says-ill")
class MonitorSaysIll(MonitorSaysNothing):
    """It says unhealthy of hosts that answer every question."""

    healthy = False


@fault("peers-drained")
class PeersDrained(Fault):
    """Every other host is told to leave; then this one, which may not unless --last is said."""

    async def strike(self, stage: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            for peer in stage.peers:
                group.create_task(self.leave(peer))
        self.said = await self.asked(stage.host)

    async def leave(self, peer: Host) -> None:
        """Of several at once each must still see another."""
        await drain(peer, "--wait")

    async def asked(self, host: Host) -> str:
        try:
            return await drain(host)
        except CommandError as error:
            return str(error)

    async def heal(self, stage: Stage) -> None:
        for peer in stage.peers:
            await resume(peer)

    async def check(self, stage: Stage) -> list[str]:
        refused = "needs --last" in self.said
        return [] if refused else [f"told to leave, the last host said: {self.said}"]


@fault("drained-at-once")
class DrainedAtOnce(PeersDrained):
    """Two operators at the same instant: both hosts see each other in."""

    async def strike(self, stage: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self.asked(host)) for host in (stage.host, *stage.peers)]
        self.answers = [task.result() for task in asked]

    async def heal(self, stage: Stage) -> None:
        for host in (stage.host, *stage.peers):
            await resume(host)

    async def check(self, stage: Stage) -> list[str]:
        return await emptied(stage)


@fault("agents-killed")
class AgentsKilled(Fault):
    """Of all hosts at once, and all of them back a while later."""

    async def strike(self, stage: Stage) -> None:
        for host in (stage.host, *stage.peers):
            await host.kill_agent()

    async def heal(self, stage: Stage) -> None:
        for host in (stage.host, *stage.peers):
            await host.start_agent()

    async def check(self, stage: Stage) -> list[str]:
        found: list[Any] = [body for host in (stage.host, *stage.peers) for body in await writes(stage, host)]
        return [f"a pool was written: {body}" for body in found]
