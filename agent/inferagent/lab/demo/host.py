"""One host of the lab: provisioned by `inferagent setup`, run by `inferagent run`, asked over its socket."""

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from inferagent.lab.demo.programs import Connector, Engine
from inferagent.lab.processes import Process, Program, kill, look, session_of, worker

INFERAGENT = (sys.executable, "-m", "inferagent.cli.main")


class CommandError(Exception):
    """A command of the agent failed; the text is what it printed."""


def leaves(errors: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """The errors themselves, out of however many groups."""
    for error in errors.exceptions:
        yield from leaves(error) if isinstance(error, BaseExceptionGroup) else (error,)


@dataclass
class Host:
    """`settings` are configuration keys and values, given to setup; `folder` holds all of this host."""

    name: str
    weight: int
    folder: Path
    engine: Engine
    connector: Connector
    engine_port: int
    metrics_port: int
    ready_port: int
    settings: dict[str, str | int] = field(default_factory=dict)
    membership: str = "own-pool"
    token: str = ""  # the id of its own API token, for faults that hit this host alone
    token_file: Path = Path()
    agent: Program | None = None
    agent_prefix: tuple[str, ...] = ()  # a command that ends by becoming the agent, whose words follow
    agent_environment: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "etc"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    async def setup(self, cloud: dict[str, Any], *extra: str) -> str:
        """Provision this host with the command that users have; what it printed."""
        return await self.command(*self.setup_arguments(cloud), *extra)

    def setup_arguments(self, cloud: dict[str, Any]) -> list[str]:
        pairs = {
            "--host": self.name,
            "--public": f"llm.{cloud['zone_name']}",
            "--api": cloud["api"],
            "--api-token-file": str(self.token_file),
            "--weight": str(self.weight),
            "--membership": self.membership,
            "--engine": self.engine.kind,
            "--engine-url": f"http://127.0.0.1:{self.engine_port}",
            "--engine-command": shlex.join(self.engine.command),
            "--serves": f"chat={self.engine.serves}",
            "--connector-command": shlex.join(self.connector.command),
            "--metrics": f"127.0.0.1:{self.metrics_port}",
            "--ready-port": str(self.ready_port),
            "--monitor-interval": str(cloud["monitor_interval"]),
            "--state-dir": str(self.folder / "state"),
            "--run-dir": str(self.run),
        }
        words = [word for pair in pairs.items() for word in pair]
        for key, value in self.engine.environment.items():
            words += ["--engine-env", f"{key}={value}"]
        for key, setting in self.settings.items():
            words += ["--set", f"{key}={setting}"]
        return ["setup", "--config", str(self.config), *words, "--yes"]

    async def command(self, *words: str, allowed: tuple[int, ...] = (0,), seconds: float = 120) -> str:
        """Run `inferagent …`; its output. Raises CommandError on another exit code."""
        argv = [*INFERAGENT, *words]
        process = await asyncio.create_subprocess_exec(
            *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), seconds)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise CommandError(f"inferagent {words[0]} did not end within {seconds:.0f} s") from None
        text = output.decode(errors="replace")
        if process.returncode not in allowed:
            raise CommandError(f"inferagent {' '.join(words[:1])} ended with {process.returncode}:\n{text}")
        return text

    async def start_agent(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        argv = [*self.agent_prefix, *INFERAGENT, "run", "--config", str(self.config)]
        self.agent = await Program.start(argv, self.agent_environment, self.folder / "agent.log")

    async def kill_agent(self, which: signal.Signals = signal.SIGKILL) -> None:
        """The agent alone; everything else of the host lives on."""
        if self.agent is not None:
            self.agent.signal(which)
            await self.agent.ended(10)
            self.agent = None

    async def status(self) -> dict[str, Any] | None:
        """The Status document, None while the agent does not answer."""
        connector = aiohttp.UnixConnector(path=str(self.run / "control.sock"))
        timeout = aiohttp.ClientTimeout(total=2)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get("http://agent/v1/status") as answer,
            ):
                body = await answer.json()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None
        return body if isinstance(body, dict) and "phase" in body else None

    def pid(self, part: str) -> int:
        """Main pid of "engine" or "connector" by the unit's record, 0 when it is not running."""
        try:
            record = json.loads((self.run / "units" / f"{part}.json").read_text())
        except (OSError, ValueError):
            return 0
        leader = (record.get("main") or {}).get("leader") or {}
        pid = int(leader.get("pid", 0))
        process = look(pid) if pid else None
        return pid if process is not None and process.state != "Z" else 0

    def kill_engine(self) -> None:
        """kill -9 of the engine's main process."""
        kill(self.pid("engine"))

    def worker(self) -> Process | None:
        """The process of this host's engine that makes the tokens, None while there is none."""
        pid = self.pid("engine")
        return worker(pid) if pid else None

    def hang_engine(self) -> bool:
        """SIGSTOP for that process; its HTTP server stays well."""
        found = self.worker()
        if found is None:
            return False
        kill(found.pid, signal.SIGSTOP)
        return True

    async def vanish(self) -> None:
        """As a power cut takes everything at once: agent, engine, connector, helpers."""
        victims = [pid for pid in (self.pid("connector"), self.pid("engine"), self._ready_pid()) if pid]
        await self.kill_agent()
        for pid in victims:
            for process in session_of(pid) or ():
                kill(process.pid)

    def _ready_pid(self) -> int:
        try:
            return int(json.loads((self.run / "ready.json").read_text())["pid"])
        except (OSError, ValueError, KeyError):
            return 0

    def _probe_pid(self) -> int:
        try:
            return int((self.run / "gpu.lock").read_text() or 0)
        except (OSError, ValueError):
            return 0

    async def end(self) -> None:
        """End everything of this host that still runs."""
        await self.vanish()
        probe = self._probe_pid()
        found = look(probe) if probe else None
        if found is not None and str(self.run) in _argv(probe):
            os.kill(probe, signal.SIGTERM)


def _argv(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
