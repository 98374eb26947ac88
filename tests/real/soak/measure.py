"""What the agent and its helpers use, by /proc and by the agent's own metrics, every few seconds."""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from inferagent.lab.demo.host import Host

EVERY = 3.0
KIB_PER_MIB = 1024
ROLLUP = {"Pss": "pss", "Rss": "rss", "Private_Clean": "private", "Private_Dirty": "private"}
TASKS = re.compile(r"^inferagent_tasks (\d+)$", re.MULTILINE)
Numbers = dict[str, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """`numbers`: MiB of pss, rss and private memory; counts of descriptors, threads, children and tasks."""

    at: float
    program: str
    pid: int
    numbers: Numbers


@dataclass
class Meter:
    host: Host
    samples: list[Sample] = field(default_factory=list)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        for program, pid in self._pids().items():
            numbers = use_of(pid)
            if program == "agent" and numbers:
                numbers |= await tasks_of(self.host.run / "control.sock")
            if numbers:
                self.samples.append(Sample(time.monotonic(), program, pid, numbers))

    def _pids(self) -> dict[str, int]:
        """Of what runs; the GPU probe ends by itself where there is no GPU."""
        agent = self.host.agent.pid if self.host.agent else 0
        found = {
            "agent": agent,
            "ready program": _number(self.host.run / "ready.json", "pid"),
            "GPU probe": _number(self.host.run / "gpu.lock"),
        }
        return {name: pid for name, pid in found.items() if pid and _belongs(pid, self.host)}


def use_of(pid: int) -> Numbers:
    """Empty where the process is gone."""
    place = Path("/proc") / str(pid)
    try:
        memory = memory_in((place / "smaps_rollup").read_text())
        descriptors = sum(1 for _ in (place / "fd").iterdir())
        tasks = [task.name for task in (place / "task").iterdir()]
        children = sum(len((place / "task" / task / "children").read_text().split()) for task in tasks)
    except OSError:
        return {}
    return memory | {"descriptors": descriptors, "threads": len(tasks), "children": children}


def memory_in(rollup: str) -> Numbers:
    found = dict.fromkeys(("pss", "rss", "private"), 0.0)
    for line in rollup.splitlines():
        name, _, rest = line.partition(":")
        if name in ROLLUP:
            found[ROLLUP[name]] += float(rest.split()[0]) / KIB_PER_MIB
    return found


async def tasks_of(sock: Path) -> Numbers:
    """What the agent's own metrics say; nothing while it does not answer."""
    connector = aiohttp.UnixConnector(path=str(sock))
    timeout = aiohttp.ClientTimeout(total=2)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get("http://agent/v1/metrics") as answer,
        ):
            found = TASKS.search(await answer.text())
    except (aiohttp.ClientError, OSError, TimeoutError):
        return {}
    return {"tasks": float(found[1])} if found else {}


def _number(file: Path, key: str = "") -> int:
    try:
        text = file.read_text()
        return int(json.loads(text)[key] if key else text or 0)
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _belongs(pid: int, host: Host) -> bool:
    """A number that was written down may be another's by now; each of the three names its host's folder."""
    try:
        return str(host.folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
