"""The agent as a process: what it starts, what it leaves alone when it ends, and when it does not start."""

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.agent_process import OWN_POOL, PULL, SleepyHost, sleepy_host, until

from inferagent.config.load import load
from inferagent.programs.daemon import asked, desired

NOTHING = {"engine": 0, "connector": 0, "ready": 0}
UNCONFIGURED = """
import sys
from pathlib import Path
from inferagent.config.load import Loaded
from inferagent.config.settings import Agent
from inferagent.programs.daemon import run
folder = sys.argv[1]
folders = Agent.model_validate({"state": folder + "/state", "run": folder + "/run"})
sys.exit(run(Loaded(Path(folder) / "etc", None, folders, ())))
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SleepyHost]:
    with sleepy_host(tmp_path) as made:
        yield made


def test_an_unconfigured_host_says_so_and_ends_in_order(host: SleepyHost) -> None:
    agent = host.start("-c", UNCONFIGURED, str(host.folder))
    document = host.status()
    assert (document["phase"], document["label"]) == ("out", "unconfigured")
    assert (document["cure"], document["exit_code"]) == ("sudo inferagent setup", 0)
    assert host.stop(agent, signal.SIGTERM)[0] == 0
    assert not (host.run / "control.sock").exists()
    assert host.pids() == NOTHING


def test_the_agent_may_end_any_way_and_touches_nothing_and_goes_on(host: SleepyHost) -> None:
    host.configure()
    agent = host.start()
    assert host.status()["mode"] == "act"
    before = host.all_up()
    until(host.verdict, "the verdict is written")
    verdict = host.verdict()
    code, said = host.stop(agent, signal.SIGTERM)
    assert (code, "the pool is as it was" in said) == (0, True)
    assert host.all_up() == before
    agent = host.start()
    host.status()
    until(lambda: host.status()["engine"]["state"] == "running", "the engine is taken up")
    assert host.stop(agent, signal.SIGKILL)[0] == -signal.SIGKILL
    assert host.all_up() == before
    host.start()
    until(lambda: host.status()["engine"]["state"] == "running", "the engine is taken up again")
    assert host.all_up() == before
    assert host.verdict() == verdict


def test_a_second_agent_on_one_host_is_refused_and_starts_nothing(host: SleepyHost) -> None:
    host.configure()
    first = host.start()
    host.status()
    before = host.all_up()
    second = host.start()
    output, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"cannot start: another agent (pid {first.pid}) holds {host.run}/agent.lock" in output
    assert "→ inferagent status" in output
    assert "acting" not in output
    assert host.all_up() == before
    assert first.poll() is None
    assert host.status()["host"] == "gpu-a"


def secret(host: SleepyHost, text: str | None, mode: int) -> None:
    folder = host.config / "credentials"
    folder.mkdir(mode=0o700)
    if text is not None:
        (folder / "cloudflare-api-token").write_text(text)
        (folder / "cloudflare-api-token").chmod(mode)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0, "cannot find the credential cloudflare-api-token"),
        ("token\n", 0o644, "lets others of this host read it"),
        ("two words\n", 0o600, "does not hold one secret and nothing else"),
    ],
)
def test_a_wrong_token_file_is_78_and_starts_nothing(
    host: SleepyHost, text: str | None, mode: int, said: str
) -> None:
    host.configure(OWN_POOL)
    secret(host, text, mode)
    output, _ = (agent := host.start()).communicate(timeout=30)
    assert agent.returncode == 78
    assert said in output
    assert "Traceback" not in output
    assert host.pids() == NOTHING


def test_a_unit_of_systemd_is_78_with_the_cure(host: SleepyHost) -> None:
    host.configure(engine_runs='unit = "vllm.service"')
    output, _ = (agent := host.start()).communicate(timeout=30)
    assert agent.returncode == 78
    assert "cannot supervise vllm.service yet" in output
    assert "command = [...]" in output


def test_a_ready_port_that_is_anothers_is_said(host: SleepyHost) -> None:
    host.configure()
    with sleepy_host(host.folder / "other") as other:
        other.configure()
        text = (other.config / "config.toml").read_text()
        (other.config / "config.toml").write_text(
            text.replace(f"port = {other.ready_port}", f"port = {host.ready_port}")
        )
        host.start()
        host.all_up()
        other.start()
        until(lambda: "no-ready-program" in findings(other.status()), "the finding is in the status")
        said = findings(other.status())["no-ready-program"]
        assert said.startswith(f"cannot listen on 127.0.0.1:{host.ready_port} for the ready URL")
        until(lambda: other.pids()["engine"] != 0, "the engine starts all the same")


def findings(document: dict[str, Any]) -> dict[str, str]:
    return {finding["code"]: finding["text"] for finding in document["findings"]}


def test_what_is_wanted_at_the_start_follows_the_settings(host: SleepyHost) -> None:
    host.configure(PULL)
    loaded = load(host.config)
    assert loaded.settings is not None
    wanted = desired(loaded, loaded.settings)
    assert (wanted.mode, wanted.hold, wanted.terms.made_by_setup) == ("act", None, True)
    host.configure(OWN_POOL)
    loaded = load(host.config)
    assert loaded.settings is not None
    assert desired(loaded, loaded.settings).terms.made_by_setup is False


@pytest.mark.parametrize(("text", "count"), [("12\n", 12), ("", 0), ("x", 0)])
def test_the_count_of_the_monitors_looks(tmp_path: Path, text: str, count: int) -> None:
    assert asked(tmp_path) == 0
    (tmp_path / "asked").write_text(text)
    assert asked(tmp_path) == count


def test_of_two_agents_started_at_once_on_a_dead_one_s_socket_one_runs(host: SleepyHost) -> None:
    """Hosts that nobody configured: agents all the same, which start fast and nothing else."""
    host.run.mkdir()
    for _ in range(6):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(host.run / "control.sock"))
        both = [host.start("-c", UNCONFIGURED, str(host.folder)) for _ in range(2)]
        until(lambda: any(agent.poll() is not None for agent in both), "one of them gives up")  # noqa: B023
        loser, winner = sorted(both, key=lambda agent: agent.poll() is None)
        assert host.status()["label"] == "unconfigured"
        assert winner.poll() is None, "one of the two runs on"
        said = loser.communicate(timeout=30)[0]
        assert re.search(rf"another agent( \(pid {winner.pid}\))? holds {host.run}/agent.lock", said), said
        assert host.stop(winner, signal.SIGKILL)[0] == -signal.SIGKILL
        (host.run / "control.sock").unlink()
