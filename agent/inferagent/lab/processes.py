"""Programs that the lab starts in a session of their own, and their trees as /proc shows them.

`end` finds what a program left behind by its session, so that orphans of a killed server end too.
"""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

WORKER_NAMES = ("VLLM::Worker", "ollama", "llama-server", "llama_server")


@dataclass(frozen=True)
class Process:
    """One line of /proc: `state` is its letter (R, S, T stopped, Z ended and not reaped)."""

    pid: int
    parent: int
    session: int
    name: str
    state: str


def look(pid: int) -> Process | None:
    """None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    state, parent, _, session = rest.split()[:4]
    return Process(pid, int(parent), int(session), name, state)


def alive() -> list[Process]:
    """Every process that has not ended."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [found for pid in sorted(pids) if (found := look(pid)) and found.state != "Z"]


def below(pid: int) -> list[Process]:
    """The descendants of a process, parents first; none of process 0, whose children are everybody's."""
    if pid <= 0:
        return []
    everything = alive()
    found = [process for process in everything if process.parent == pid]
    for parent in found:  # grows while it is read
        found += [process for process in everything if process.parent == parent.pid]
    return found


def session_of(pid: int) -> list[Process]:
    """Every process of the session that the program of that pid began, orphans included."""
    return [process for process in alive() if process.session == pid]


def worker(pid: int) -> Process | None:
    """The process below an engine that makes the tokens: vLLM's Worker, Ollama's runner."""
    named = [process for process in below(pid) if process.name in WORKER_NAMES]
    return named[-1] if named else None


def kill(pid: int, which: signal.Signals = signal.SIGKILL) -> None:
    """A signal for one process, which may have ended already; 0 and below would be whole groups."""
    if pid <= 0:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, which)


@dataclass
class Program:
    """A started program, the first of its session."""

    running: asyncio.subprocess.Process

    @classmethod
    async def start(cls, command: list[str], environment: dict[str, str], log: Path) -> "Program":
        """`environment` is added to this process's own; both outputs go to `log`."""
        with log.open("ab") as output:
            running = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        return cls(running)

    @property
    def pid(self) -> int:
        return self.running.pid

    @property
    def exit_code(self) -> int | None:
        return self.running.returncode

    def signal(self, which: signal.Signals) -> None:
        kill(self.pid, which)

    async def ended(self, seconds: float) -> int:
        """Its exit code; TimeoutError when it lives on."""
        async with asyncio.timeout(seconds):
            return await self.running.wait()

    async def end(self) -> None:
        """Kills it and everything of its session, stopped processes and orphans included."""
        while found := session_of(self.pid):
            for process in found:
                kill(process.pid)
            await asyncio.sleep(0.01)
        await self.running.wait()
