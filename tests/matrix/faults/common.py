"""What strikes engines of both kinds, and how a fault changes what a host's engine is started with."""

import asyncio
import json
import os
import shlex
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.matrix.fault import Fault, fault
from tests.matrix.stage import Stage

from inferagent.lab.demo.host import Host
from inferagent.lab.processes import Process, below, kill, session_of

PAUSE, PAUSES, BETWEEN = 2.0, 3, 4.0  # seconds of a short stall, how many, and from one to the next


@fault("kill-main")
class KillMain(Fault):
    """Its children live on, and with them the memory that they hold."""

    async def strike(self, stage: Stage) -> None:
        stage.host.kill_engine()


@fault("kill-worker")
class KillWorker(Fault):
    async def strike(self, stage: Stage) -> None:
        kill((await the_worker(stage)).pid)


@fault("stop-worker")
class StopWorker(Fault):
    """What a hung GPU looks like: no token is made any more, and the HTTP server is well."""

    async def strike(self, stage: Stage) -> None:
        kill((await the_worker(stage)).pid, signal.SIGSTOP)


@fault("stop-engine")
class StopEngine(Fault):
    """Every process of it: the port takes connections and nobody answers."""

    async def strike(self, stage: Stage) -> None:
        stop_all(stage.host)


@fault("pause-worker")
class PauseWorker(Fault):
    """Some stalls, each shorter than the bound of a hang."""

    async def strike(self, stage: Stage) -> None:
        for _ in range(PAUSES):
            worker = await the_worker(stage)
            kill(worker.pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(PAUSE)
            finally:
                kill(worker.pid, signal.SIGCONT)
            await asyncio.sleep(BETWEEN)


async def the_worker(stage: Stage) -> Process:
    """The process that makes the tokens; AssertionError where there is none."""
    return await found(stage.host.worker, f"a worker of {stage.host.name}'s engine")


async def found(look: Callable[[], Process | None], what: str, seconds: float = 10.0) -> Process:
    """AssertionError names what did not come."""
    end = asyncio.get_running_loop().time() + seconds
    while (one := look()) is None:
        assert asyncio.get_running_loop().time() < end, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.1)
    return one


def family(host: Host) -> list[Process]:
    """Every process of the host's engine, the first one included; none while it is not running."""
    main = host.pid("engine")
    return list({one.pid: one for one in (*session_of(main), *below(main))}.values()) if main else []


def stop_all(host: Host) -> None:
    """SIGSTOP, parents first, until none is left that could have started another."""
    while running := [one for one in family(host) if one.state != "T"]:
        for one in running:
            kill(one.pid, signal.SIGSTOP)


def born(pid: int) -> float:
    """When a process began, on the clock of this boot."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def events(host: Host) -> list[dict[str, Any]]:
    """What the agent has written in its event file, oldest first."""
    text = (host.folder / "state" / "events.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def given(host: Host, *words: str, **environment: str) -> None:
    """More words on the engine's command line, where the last of a kind counts, and more environment."""
    engine = host.engine
    host.engine = replace(
        engine, command=(*engine.command, *words), environment={**engine.environment, **environment}
    )


@dataclass(frozen=True, slots=True)
class StartScript:
    """The operator's own script that starts the engine: what it says can change between two lives."""

    path: Path

    @classmethod
    def of(cls, host: Host) -> "StartScript":
        """The host is not provisioned yet; until the script says something else, the engine is as it was."""
        script = cls(host.folder / "start-engine.sh")
        script.says(host.engine.command)
        host.engine = replace(host.engine, command=("/bin/sh", str(script.path)))
        return script

    def says(self, command: tuple[str, ...]) -> None:
        """Takes effect at the engine's next start."""
        beside = self.path.with_suffix(".part")
        beside.write_text(f"exec {shlex.join(command)}\n")
        beside.replace(self.path)
