"""The agent as a process on a host whose engine and connector are sleepers: no account, no edge."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferagent.lab.demo.world import free_ports
from inferagent.lab.processes import alive, kill, look, session_of

DEADLINE = 30.0
SLEEPER = json.dumps(["/bin/sh", "-c", "exec sleep 300"])
CONFIG = """
mode = "act"
[agent]
state = "{state}"
run = "{run}"
[host]
name = "gpu-a"
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:{engine}"
{engine_runs}
serves = {{ chat = "chat" }}
[connector]
command = {sleeper}
metrics = "127.0.0.1:{metrics}"
hostname = "gpu-a.example.com"
[ready]
port = {ready}
[membership]
{membership}
"""
PULL = 'kind = "pull"'
OWN_POOL = """
kind = "own-pool"
api = "http://127.0.0.1:9/client/v4"
account = "a"
zone = "z"
pool = "p"
load_balancer = "l"
"""


@dataclass
class SleepyHost:
    """`started`: every agent, to be ended at the end; what they started is found by their records."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def config(self) -> Path:
        return self.folder / "etc"

    def configure(self, membership: str = PULL, engine_runs: str = f"command = {SLEEPER}") -> None:
        engine, metrics, self.ready_port = free_ports(3)
        text = CONFIG.format(
            state=self.folder / "state",
            run=self.run,
            engine=engine,
            engine_runs=engine_runs,
            sleeper=SLEEPER,
            metrics=metrics,
            ready=self.ready_port,
            membership=membership,
        )
        self.config.mkdir(parents=True, exist_ok=True)
        (self.config / "config.toml").write_text(text)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """`inferagent run`, or another program in its place."""
        command = argv or ("-m", "inferagent.cli.main", "run", "--config", str(self.config))
        agent = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.started.append(agent)
        return agent

    def stop(self, agent: subprocess.Popen[str], which: signal.Signals) -> tuple[int, str]:
        """Its exit code and what it said."""
        agent.send_signal(which)
        output, _ = agent.communicate(timeout=DEADLINE)
        return agent.returncode, output

    def ask(self, path: str = "/v1/status") -> dict[str, Any] | None:
        """The answer of the control socket, None while nobody answers there."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5.0)
            try:
                link.connect(str(self.run / "control.sock"))
                link.sendall(f"GET {path} HTTP/1.1\r\nHost: agent\r\n\r\n".encode())
                answer = b"".join(iter(lambda: link.recv(65536), b""))
            except OSError:
                return None
        found = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found if isinstance(found, dict) else None

    def status(self) -> dict[str, Any]:
        """The first Status document, polled for."""
        found: list[dict[str, Any]] = []

        def answered() -> bool:
            lives = any(agent.poll() is None for agent in self.started)
            assert lives, self.started[-1].communicate()[0]
            document = self.ask()
            if document is not None and "phase" in document:
                found.append(document)
            return bool(found)

        until(answered, "the agent answers")
        return found[0]

    def pids(self) -> dict[str, int]:
        """What outlives the agent, by the records in the runtime folder; 0 for what does not run."""
        return {
            "engine": self._unit("engine"),
            "connector": self._unit("connector"),
            "ready": _alive(_json(self.run / "ready.json").get("pid", 0)),
        }

    def verdict(self) -> dict[str, Any]:
        """What the ready program goes by; the time at which it was written is left out."""
        return {key: value for key, value in _json(self.run / "verdict.json").items() if key != "at"}

    def all_up(self) -> dict[str, int]:
        until(lambda: all(self.pids().values()), "all parts run")
        return self.pids()

    def _helpers(self) -> list[int]:
        """Ready program and probe: an agent that is killed as it starts one leaves no record of it."""
        named = [process.pid for process in alive() if os.fsencode(self.run) in _argv(process.pid)]
        return [pid for pid in named if pid != os.getpid()]

    def _unit(self, name: str) -> int:
        main = _json(self.run / "units" / f"{name}.json").get("main") or {}
        return _alive((main.get("leader") or {}).get("pid", 0))

    def end(self) -> None:
        for agent in self.started:
            agent.kill()
            agent.communicate()
        for pid in filter(None, [*self.pids().values(), *self._helpers()]):
            for process in session_of(pid):
                kill(process.pid)


@contextmanager
def sleepy_host(folder: Path) -> Iterator[SleepyHost]:
    host = SleepyHost(folder)
    try:
        yield host
    finally:
        host.end()


def until(holds: Any, what: str, seconds: float = DEADLINE) -> None:
    """Look every 50 ms; AssertionError names what did not come."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _argv(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _alive(pid: int) -> int:
    process = look(int(pid)) if pid else None
    return process.pid if process is not None and process.state != "Z" else 0
