"""One host of the lab: the words of its setup, its commands, and which processes are its own to strike."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.units_bench import running, until

from inferagent.lab.demo.host import CommandError, Host, leaves
from inferagent.lab.demo.programs import Connector, Engine
from inferagent.lab.processes import Program, session_of

CLOUD = {"zone_name": "example.com", "api": "http://127.0.0.1:9/client/v4", "monitor_interval": 5}
ENGINE = Engine("vllm", "an engine", False, ("engine", "serve", "a b"), "model", {"HOME": "h"})


@pytest.fixture
def host(tmp_path: Path) -> Host:
    connector = Connector("a connector", False, ("connector", "run"))
    return Host("gpu-a", 80, tmp_path, ENGINE, connector, 8001, 8002, 8003, {"drain.settle": "2s"})


@pytest.fixture
async def engine(host: Host) -> AsyncIterator[Program]:
    """A program with a child, on record as this host's engine."""
    command = ["/bin/sh", "-c", "sleep 300 & exec sleep 300"]
    program = await Program.start(command, {}, host.folder / "engine.log")
    record(host, "engine", program.pid)
    yield program
    await program.end()


def record(host: Host, part: str, pid: int) -> None:
    (host.run / "units").mkdir(parents=True, exist_ok=True)
    text = json.dumps({"main": {"leader": {"pid": pid, "start": 1}, "mark": "m"}})
    (host.run / "units" / f"{part}.json").write_text(text)


def test_setup_gets_every_word_of_the_host(host: Host) -> None:
    words = host.setup_arguments(CLOUD)
    pairs = dict(zip(words[3::2], words[4::2], strict=False))
    assert words[:2] == ["setup", "--config"]
    assert words[-1] == "--yes"
    assert pairs["--public"] == "llm.example.com"
    assert pairs["--engine-command"] == "engine serve 'a b'"
    assert pairs["--engine-url"] == "http://127.0.0.1:8001"
    assert pairs["--metrics"] == "127.0.0.1:8002"
    assert pairs["--ready-port"] == "8003"
    assert pairs["--serves"] == "chat=model"
    assert pairs["--membership"] == "own-pool"
    assert pairs["--engine-env"] == "HOME=h"
    assert pairs["--set"] == "drain.settle=2s"


async def test_a_command_gives_what_it_printed_or_fails_with_it(host: Host) -> None:
    assert "inferagent" in await host.command("--version")
    with pytest.raises(CommandError, match=r"inferagent nonsense ended with 2:\n(.|\n)*No such command"):
        await host.command("nonsense")
    assert "No such command" in await host.command("nonsense", allowed=(2,))


async def test_a_host_without_agent_answers_nothing(host: Host) -> None:
    assert await host.status() is None
    assert host.pid("engine") == 0
    assert host.worker() is None
    assert host.hang_engine() is False
    host.kill_engine()
    await host.kill_agent()
    await host.vanish()
    await host.end()


async def test_the_engine_is_struck_by_its_record(host: Host, engine: Program) -> None:
    assert host.pid("engine") == engine.pid
    host.kill_engine()
    assert await engine.ended(10) == -signal.SIGKILL
    assert host.pid("engine") == 0


async def test_a_power_cut_takes_the_whole_session(host: Host, engine: Program) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "300")
    await until(lambda: len(session_of(engine.pid)) == 2, "the engine has a child")
    await host.vanish()
    await until(lambda: not session_of(engine.pid), "the engine is gone, its child too")
    assert running(stranger.pid)
    stranger.kill()
    await stranger.wait()


async def test_an_end_takes_the_gpu_probe_and_nobody_that_has_its_pid_now(host: Host) -> None:
    host.run.mkdir()
    sleep = "import time; time.sleep(300)"
    ours = await asyncio.create_subprocess_exec(sys.executable, "-c", sleep, "--run", str(host.run))
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", sleep)
    (host.run / "gpu.lock").write_text(str(other.pid))
    await host.end()
    assert running(other.pid)
    (host.run / "gpu.lock").write_text(str(ours.pid))
    await host.end()
    assert await asyncio.wait_for(ours.wait(), 10) == -signal.SIGTERM
    other.kill()
    await other.wait()


def test_leaves_come_out_of_any_group() -> None:
    group = ExceptionGroup("a", [CommandError("one"), ExceptionGroup("b", [TimeoutError("two")])])
    assert [str(error) for error in leaves(group)] == ["one", "two"]


async def test_a_prefix_becomes_the_agent_in_its_own_environment(host: Host) -> None:
    script = 'echo "$SAID $@" >"$0"'
    host.agent_prefix = ("sh", "-c", script, str(host.folder / "said"))
    host.agent_environment = {"SAID": "with"}
    await host.start_agent()
    assert host.agent is not None
    assert await host.agent.ended(10) == 0
    said = (host.folder / "said").read_text().split()
    assert said[0] == "with"
    assert said[-3:] == ["run", "--config", str(host.config)]
