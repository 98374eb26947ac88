"""status_ms: `inferagent status` against an agent that serves, as a person waits for it.

Beside it, in turn with it and so under the same load: a Python that does nothing, and `systemctl show` of the
agent's unit where systemd runs. The bytecode is there, as it is of an installed program.
"""

import asyncio
import os
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, load_average, machine, spread, tidy
from tests.bench.lab import Edge, opened, programs, provision, say, serve

from inferagent.lab.demo.host import INFERAGENT

TRIALS, QUICK = 21, 5
EDGE = Edge(lag=(0.0, 0.0))
NOTHING = [sys.executable, "-c", "pass"]
SYSTEMCTL = ["systemctl", "show", "inferagent.service"]
Command = list[str]


async def measure(folder: Path, quick: bool) -> list[Figure]:
    conditions: dict[str, Any] = machine()
    async with opened(folder, EDGE, seed=6) as world:
        host = world.add("asked", "vllm", 100)
        await provision(world, [host])
        await serve(world, [host])
        commands: dict[str, Command] = {
            "status": [*INFERAGENT, "status", "--config", str(host.config)],
            "python_c_pass_ms": NOTHING,
        }
        if await _works(SYSTEMCTL):
            commands["systemctl_show_ms"] = SYSTEMCTL
        taken = await in_turn(commands, QUICK if quick else TRIALS, warm(folder / "bytecode"))
        conditions |= programs([host])
    conditions |= {"load_after": load_average()}
    own = taken.pop("status")
    beside: dict[str, Any] = {name: tidy(statistics.median(samples)) for name, samples in taken.items()}
    if "systemctl_show_ms" not in taken:
        beside["systemctl_show_ms"] = "no systemd runs here"
    say(f"status: {statistics.median(own):.0f} ms")
    return [spread("status_ms", own, conditions, beside, "ms")]


def warm(folder: Path) -> dict[str, str]:
    """An environment in which bytecode is kept, and found again."""
    plain = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**plain, "PYTHONPYCACHEPREFIX": str(folder)}


async def in_turn(
    commands: dict[str, Command], trials: int, environment: dict[str, str]
) -> dict[str, list[float]]:
    """Milliseconds of each run of each command; one round before them is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(trials + 1):
        for name, command in commands.items():
            took = await _timed(command, environment)
            if number:
                taken[name].append(took)
    return taken


async def _timed(command: Command, environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment
    )
    said, _ = await process.communicate()
    took = 1000 * (time.perf_counter() - begun)
    if process.returncode not in (0, 1):
        raise RuntimeError(
            f"cannot measure {command[0]}: it ended with {process.returncode}: {said.decode()}"
        )
    return took


async def _works(command: Command) -> bool:
    if shutil.which(command[0]) is None:
        return False
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=nowhere, stderr=nowhere)
    return await process.wait() == 0
