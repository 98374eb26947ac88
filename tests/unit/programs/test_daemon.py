"""The agent as a process: what it starts, what it leaves alone when it ends, and when it does not start."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.agent_process import OWN_POOL, PULL, SleepyHost, sleepy_host, until
from tests.support.answers import check_answer

from inferagent.config.load import load
from inferagent.programs.daemon import asked, desired
from inferagent.runtime.lock import ControlError, only_agent

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


def test_who_is_told_to_end_does_not_begin_anew_with_a_configuration_of_that_moment(host: SleepyHost) -> None:
    """It has looked once already, and would look again within a second."""
    agent = host.start("-c", UNCONFIGURED, str(host.folder))
    assert host.status()["label"] == "unconfigured"
    (host.folder / "etc").mkdir(exist_ok=True)
    (host.folder / "etc/config.toml").write_text("")
    assert host.stop(agent, signal.SIGTERM)[0] == 0


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


def test_a_unit_of_systemd_without_a_bus_is_unknown_and_nothing_is_done(
    host: SleepyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={host.folder}/none")
    host.configure(engine_runs='unit = "vllm.service"')
    agent = host.start()
    host.status()
    until(lambda: "engine-unit-unknown" in findings(host.status()), "the finding is in the status")
    assert findings(host.status())["engine-unit-unknown"].startswith("engine: cannot reach the system bus: ")
    until(lambda: host.pids()["connector"] != 0, "the connector runs all the same")
    code, said = host.stop(agent, signal.SIGTERM)
    assert code == 0
    assert "start engine" not in said


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


def post(host: SleepyHost, name: str, target: str) -> dict[str, Any]:
    """The answer to an order at one of the two sockets."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(10.0)
        link.connect(str(host.run / name))
        link.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        answer = b"".join(iter(lambda: link.recv(65536), b""))
    found = json.loads(answer.partition(b"\r\n\r\n")[2])
    check_answer(found)
    return dict(found)


def test_a_changed_configuration_is_taken_up_without_a_restart(host: SleepyHost) -> None:
    """By SIGHUP and by the operator; a wrong one is refused and the agent goes on."""
    host.configure()
    agent = host.start()
    check_answer(host.status())
    path = host.config / "config.toml"
    text = path.read_text()
    path.write_text(f'{text}\n[drain]\nsettle = "20s"\n')
    assert post(host, "operator.sock", "/v1/reload")["message"] == "applied: drain.settle"
    path.write_text(f"{text}\n[drain]\nnonsense = 1\n")
    agent.send_signal(signal.SIGHUP)
    refused = post(host, "operator.sock", "/v1/reload")
    assert "is no key of inferagent" in refused["message"]
    path.write_text(text)
    agent.send_signal(signal.SIGHUP)
    until(
        lambda: post(host, "operator.sock", "/v1/reload")["message"] == "nothing has changed",
        "the settings are as they were",
    )
    assert post(host, "control.sock", "/v1/reload")["message"] == "cannot reload: this socket is for reading"
    code, said = host.stop(agent, signal.SIGTERM)
    assert code == 0
    assert said.count("applied: drain.settle") >= 1
    assert said.count("cannot reload, the old configuration goes on") == 2


def test_sighup_does_not_end_a_host_that_nobody_has_configured(host: SleepyHost) -> None:
    agent = host.start("-c", UNCONFIGURED, str(host.folder))
    assert host.status()["label"] == "unconfigured"
    agent.send_signal(signal.SIGHUP)
    refused = post(host, "operator.sock", "/v1/reload")
    assert (refused["ok"], refused["cure"]) == (False, "sudo inferagent setup")
    assert host.stop(agent, signal.SIGTERM)[0] == 0


SLOW_END = """
import asyncio, sys
from pathlib import Path
from inferagent.programs import daemon
from inferagent.config.load import load
class Slow(daemon.Daemon):
    async def end(self):
        Path(sys.argv[2]).touch()
        while Path(sys.argv[2]).exists():
            await asyncio.sleep(0.01)
        await super().end()
daemon.Daemon = Slow
sys.exit(daemon.run(load(Path(sys.argv[1]))))
"""


def test_the_lock_is_held_until_the_last_job_has_ended(host: SleepyHost) -> None:
    """A successor must not begin while deeds of this agent are still under way."""
    host.configure()
    ending = host.folder / "ending"
    agent = host.start("-c", SLOW_END, str(host.config), str(ending))
    host.status()
    agent.send_signal(signal.SIGTERM)
    until(ending.exists, "the agent ends")
    assert not (host.run / "operator.sock").exists(), "nobody is served any more"
    with pytest.raises(ControlError, match=rf"another agent \(pid {agent.pid}\) holds"), only_agent(host.run):
        pass
    ending.unlink()
    agent.communicate(timeout=30)
    with only_agent(host.run):
        assert agent.returncode == 0
