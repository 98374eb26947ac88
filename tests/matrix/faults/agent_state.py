"""What strikes the agent's saved state: a disk without room, a folder that takes nothing, a torn file."""

import asyncio
import json
import os
from pathlib import Path

from tests.matrix import cage
from tests.matrix.agents import absent, drain, findings, resume, unwritten
from tests.matrix.fault import Fault, fault
from tests.matrix.stage import Stage

from inferagent.lab.demo.host import Host

CODE = "state-not-saved"
STILL = 10.0  # seconds for which a host that may not join is watched


def state_of(host: Host) -> Path:
    return host.folder / "state"


@fault("disk-full")
class DiskFull(Fault):
    """A disk of 2 MiB for the state folder, full: the host goes on serving."""

    filler: Path | None = None

    async def before(self, stage: Stage) -> None:
        stage.host.agent_prefix = cage.agent_prefix(cage.small_disk(state_of(stage.host), "2m"))

    async def strike(self, stage: Stage) -> None:
        """Files that somebody reads give no room back when they are replaced."""
        assert stage.host.agent is not None
        folder = cage.inside(stage.host.agent.pid, state_of(stage.host))
        for path in folder.glob("state*.json"):
            stage.endings.enter_context(path.open("rb"))
        self.filler = cage.fill(folder)

    async def heal(self, stage: Stage) -> None:
        if self.filler is not None:
            self.filler.unlink()


@fault("disk-full-engine-killed")
class DiskFullEngineKilled(DiskFull):
    """Leaving and the start of a dead engine need no disk; the join does, and waits for room."""

    def __init__(self) -> None:
        self.found: list[str] = []

    async def strike(self, stage: Stage) -> None:
        await super().strike(stage)
        stage.host.kill_engine()

    async def heal(self, stage: Stage) -> None:
        await self.stays_out(stage)
        await super().heal(stage)

    async def stays_out(self, stage: Stage) -> None:
        """The engine is there; nobody asks it for a proof before there is room (S12)."""
        said: list[str] = []

        async def ready() -> bool:
            status = await stage.status()
            said[:] = [word for word in status.get("vetoes", ()) if "go to joining" in word]
            return not status.get("root_code") and any(word.startswith("S12:") for word in said)

        try:
            await stage.until(ready, "only the disk is in the way", stage.patience)
        except AssertionError as error:
            self.found.append(f"{error}; {said}")
        if CODE not in await findings(stage.host):
            self.found.append(f"status does not say {CODE}")
        await asyncio.sleep(STILL)
        phase = (await stage.status()).get("phase")
        if phase != "out":
            self.found.append(f"it is {phase} although its state cannot be saved")

    async def check(self, stage: Stage) -> list[str]:
        left = [CODE] if CODE in await findings(stage.host) else []
        return [*self.found, *(f"status still says {code}" for code in left)]


@fault("state-read-only")
class StateReadOnly(DiskFullEngineKilled):
    """A mount made read-only where that is possible; nobody but root writes in a folder without w."""

    async def before(self, stage: Stage) -> None:
        self.mounted = not cage.lacking()
        if self.mounted or not os.geteuid():
            stage.host.agent_prefix = cage.agent_prefix(cage.own_mount(state_of(stage.host)))

    async def strike(self, stage: Stage) -> None:
        await self.turn(stage, "ro")
        stage.host.kill_engine()

    async def turn(self, stage: Stage, which: str) -> None:
        """A file that is being written keeps a mount from being made read-only: some tries."""
        if not self.mounted:
            state_of(stage.host).chmod(0o500 if which == "ro" else 0o700)
            return
        assert stage.host.agent is not None
        words = ("mount", "-o", f"remount,bind,{which}", str(state_of(stage.host)))
        for attempt in range(20):
            try:
                await cage.enter(stage.host.agent.pid, *words)
                break
            except OSError:
                if attempt == 19:
                    raise
                await asyncio.sleep(0.1)

    async def heal(self, stage: Stage) -> None:
        await self.stays_out(stage)
        await self.turn(stage, "rw")


@fault("state-torn")
class StateTorn(Fault):
    """Half of the file is there when the next agent starts."""

    aside = "state.damaged.json"
    files: tuple[str, ...] = ("state.json",)

    def damaged(self, content: bytes) -> bytes:
        return content[: len(content) // 2]

    async def damage(self, stage: Stage) -> None:
        """Between two agents."""
        await stage.host.kill_agent()
        for name in self.files:
            path = state_of(stage.host) / name
            self.content = self.damaged(path.read_bytes())
            path.write_bytes(self.content)
        await absent(stage.host)

    async def strike(self, stage: Stage) -> None:
        await self.damage(stage)

    async def check(self, stage: Stage) -> list[str]:
        return [*await unwritten(stage), *self.lost(stage)]

    def lost(self, stage: Stage) -> list[str]:
        """What cannot be understood is kept as it was."""
        kept = state_of(stage.host) / self.aside
        whole = kept.exists() and kept.read_bytes() == self.content
        return [] if whole else [f"{self.aside} is not what the damaged file was"]


@fault("state-empty")
class StateEmpty(StateTorn):
    """As a power cut leaves files that nobody synced: both generations, without a byte."""

    aside = "state.previous.damaged.json"
    files = ("state.json", "state.previous.json")

    def damaged(self, content: bytes) -> bytes:
        return b""


@fault("state-newer")
class StateNewer(StateTorn):
    """Of an agent of a later version, which was taken back."""

    aside = "state.schema99.json"

    def damaged(self, content: bytes) -> bytes:
        return json.dumps({**json.loads(content), "schema": 99}).encode()


@fault("state-torn-held")
class StateTornHeld(StateTorn):
    """The hold is a file of its own."""

    files = ("state.json", "state.previous.json")
    aside = "state.previous.damaged.json"

    async def strike(self, stage: Stage) -> None:
        await drain(stage.host, "--wait")
        await self.damage(stage)

    async def heal(self, stage: Stage) -> None:
        await resume(stage.host)

    async def check(self, stage: Stage) -> list[str]:
        return self.lost(stage)
