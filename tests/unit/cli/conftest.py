"""A small agent that answers a real control socket from a thread of its own."""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from inferagent.model.fault_sheet import FaultSheet
from inferagent.model.status import Status, StatusMembership, StatusPart
from inferagent.runtime.control import Answer, DrainRequest, serve_control
from inferagent.runtime.desk import LendRequest

DEADLINE = 10.0
DRAINING = Answer(True, "draining")


def make_status(**changes: object) -> Status:
    plain: dict = {
        "schema": 1,
        "host": "gpu-home",
        "mode": "act",
        "phase": "serving",
        "label": "",
        "since": "2026-11-22T12:00:00+01:00",
        "seconds": 250.0,
        "sentence": "serving",
        "root_cause": "",
        "cure": "",
        "verdict": True,
        "hold": "",
        "engine": StatusPart("vllm", '"chat" = Qwen/Qwen3-8B', "running"),
        "connector": StatusPart("cloudflared 2026.8.2", "4 connections", "running"),
        "membership": StatusMembership("own-pool", "in", True, 3.2, 1, 2),
        "gpus": (),
        "in_flight_tunnel": 1,
        "in_flight_lan": 1,
        "findings": (),
        "vetoes": (),
        "boot": "b",
        "agent_version": "0.1.0",
        "exit_code": 0,
    }
    return Status(**{**plain, **changes})


@dataclass
class Agent:
    """Its configuration folder, what it shows next (the last one stays), and what it was asked."""

    folder: Path
    shows: list[Status] = field(default_factory=list)
    answer: Answer = DRAINING
    asked: list[object] = field(default_factory=list)
    sheet: FaultSheet = field(default_factory=lambda: FaultSheet(()))

    def status(self) -> Status | None:
        return self.shows.pop(0) if len(self.shows) > 1 else self.shows[0] if self.shows else None

    def drain(self, request: DrainRequest) -> Answer:
        self.asked.append(request)
        return self.answer

    def lend(self, request: LendRequest) -> Answer:
        self.asked.append(request)
        return self.answer

    def resume(self) -> Answer:
        self.asked.append("resume")
        return self.answer

    async def reload(self) -> Answer:
        self.asked.append("reload")
        return self.answer

    def metrics(self) -> str:
        return "inferagent_up 1\n"

    def faults(self) -> FaultSheet:
        return self.sheet

    def clear_fault(self, gpu: str) -> Answer:
        self.asked.append(("clear fault", gpu))
        return self.answer

    async def notify_test(self) -> Answer:
        self.asked.append("notify test")
        return self.answer


async def _serve(agent: Agent, up: threading.Event, stop: list) -> None:
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve_control(agent.folder / "run", agent, ready))
        await ready.wait()
        stop.append((asyncio.get_running_loop(), task))
        up.set()


@pytest.fixture
def quiet() -> Iterator[None]:
    """What an agent logs is no output of a command."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.configure(**before)


@pytest.fixture
def agent(quiet: None) -> Iterator[Agent]:
    with tempfile.TemporaryDirectory() as name:  # short: a socket's path has at most 107 bytes
        made = Agent(Path(name))
        (made.folder / "config.toml").write_text(f'[agent]\nrun = "{name}/run"\n')
        up, stop = threading.Event(), []
        thread = threading.Thread(target=lambda: asyncio.run(_serve(made, up, stop)))
        thread.start()
        assert up.wait(DEADLINE)
        yield made
        ((loop, task),) = stop
        loop.call_soon_threadsafe(task.cancel)
        thread.join(DEADLINE)
        assert not thread.is_alive()


def command(*words: object, input: str | None = None) -> Result:  # noqa: A002
    """Run the command line inside this process."""
    from inferagent.cli.main import cli

    return CliRunner().invoke(cli, [str(word) for word in words], input=input, prog_name="inferagent")


@pytest.fixture
def run_command():
    return command


@pytest.fixture
def status_of():
    return make_status
