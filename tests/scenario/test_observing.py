"""A real agent in observe mode: it starts and drains nothing, and leaves events that outlive it."""

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.support.agent_process import SleepyHost, sleepy_host, until

from inferagent.cli.main import cli


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SleepyHost]:
    yield from observing(tmp_path)


@pytest.fixture
def walled_in(tmp_path: Path) -> Iterator[SleepyHost]:
    """Its event file cannot be written."""
    (tmp_path / "walled" / "state" / "events.jsonl").mkdir(parents=True)
    yield from observing(tmp_path / "walled")


def observing(folder: Path) -> Iterator[SleepyHost]:
    with sleepy_host(folder) as made:
        made.configure()
        path = made.config / "config.toml"
        path.write_text(path.read_text().replace('mode = "act"', 'mode = "observe"'))
        yield made


def command(host: SleepyHost, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--config", str(host.config)], prog_name="inferagent")


def kinds(host: SleepyHost) -> list[str]:
    path = host.folder / "state" / "events.jsonl"
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        with suppress(ValueError):
            found.append(json.loads(line)["kind"])
    return found


def test_an_observing_agent_tells_what_it_would_have_done_and_does_nothing(host: SleepyHost) -> None:
    agent = host.start()
    assert host.status()["mode"] == "observe"
    until(lambda: "would" in kinds(host), "an episode is noted")
    refused = command(host, "drain")
    assert refused.exit_code == 1
    assert 'cannot drain: the mode is "observe"' in refused.stderr
    assert host.pids()["engine"] == host.pids()["connector"] == 0
    told = command(host, "events", "--would")
    assert told.exit_code == 0
    assert "would have started the engine 1×" in told.stdout
    code, _ = host.stop(agent, signal.SIGTERM)
    assert code == 0
    assert "action" not in kinds(host)
    shown = command(host, "events")
    assert "started, mode observe: out" in shown.stdout.splitlines()[0]


def codes(host: SleepyHost) -> list[str]:
    return [finding["code"] for finding in host.status()["findings"]]


def test_events_outlive_agents_that_are_killed(host: SleepyHost, walled_in: SleepyHost) -> None:
    """Meanwhile an agent that cannot write them says so, and goes on."""
    walled_in.start()
    for lives in (1, 2):
        agent = host.start()
        until(lambda lives=lives: kinds(host).count("agent") == lives, "it has told that it started")
        host.stop(agent, signal.SIGKILL)
    assert kinds(host).count("agent") == 2
    with (host.folder / "state" / "events.jsonl").open("ab") as file:
        file.write(b'{"schema": 1, "wa')  # as a power cut leaves it
    agent = host.start()
    until(lambda: kinds(host).count("agent") == 3, "it has told that it started again")
    assert host.stop(agent, signal.SIGTERM)[0] == 0
    shown = command(host, "events")
    assert shown.stdout.count("started, mode observe") == 3
    assert "1 line of " in shown.stderr
    assert "could not be read" in shown.stderr
    until(lambda: "events-not-written" in codes(walled_in), "what cannot be written is a finding")
    assert walled_in.status()["mode"] == "observe"
