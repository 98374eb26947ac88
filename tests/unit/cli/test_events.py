"""`inferagent events`: what is told, in which order, and how it ends."""

import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from inferagent.model.event import Episode, Event, EventKind
from inferagent.model.event_line import encode


def event(number: int, ago: float = 0.0, episode: Episode | None = None, boot: str = "b") -> Event:
    wall = (datetime.now().astimezone() - timedelta(seconds=ago)).isoformat(timespec="seconds")
    kind = EventKind.WOULD if episode else EventKind.PHASE
    return Event(wall, boot, float(number), kind, f"sentence {number}", "serving", episode=episode)


@pytest.fixture
def host(tmp_path):
    (tmp_path / "config.toml").write_text(f'[agent]\nstate = "{tmp_path}/state"\nrun = "{tmp_path}/run"\n')
    (tmp_path / "state").mkdir()
    return tmp_path


def put(host: Path, *events: Event, torn: bytes = b"") -> None:
    with (host / "state" / "events.jsonl").open("ab") as file:
        file.write(b"".join(map(encode, events)) + torn)


def sentences(text: str) -> list[int]:
    return [int(line.rpartition("sentence ")[2]) for line in text.splitlines()]


def test_the_newest_is_last_and_fifty_are_enough(host, run_command):
    put(host, *(event(n) for n in range(60)))
    result = run_command("events", "--config", host)
    assert (result.exit_code, result.stderr) == (0, "")
    assert sentences(result.stdout) == list(range(10, 60))
    assert sentences(run_command("events", "-n", 3, "--config", host).stdout) == [57, 58, 59]


def test_since_tells_all_that_is_new_enough(host, run_command):
    put(host, *(event(n, ago=7200.0) for n in range(60)), *(event(n, ago=10.0) for n in range(60, 140)))
    found = sentences(run_command("events", "--since", "1h", "--config", host).stdout)
    assert found == list(range(60, 140))
    found = sentences(run_command("events", "--since", "1h", "-n", 2, "--config", host).stdout)
    assert found == [138, 139]
    ever = run_command("events", "--since", "999999999d", "--config", host)
    assert sentences(ever.stdout) == list(range(140))
    assert run_command("events", "--since", "soon", "--config", host).exit_code == 2


def test_json_is_every_line_as_it_stands(host, run_command):
    lines = [event(1), event(2, episode=Episode("watch", 1.0, 60.0))]
    put(host, *lines)
    assert run_command("events", "--json", "--config", host).stdout == b"".join(map(encode, lines)).decode()
    assert sentences(run_command("events", "--config", host).stdout) == [1]


def test_torn_lines_are_counted_once_at_the_end(host, run_command):
    put(host, event(1), torn=b"{torn\n\0\0\0\n")
    put(host, event(2))
    result = run_command("events", "--config", host)
    assert sentences(result.stdout) == [1, 2]
    assert result.stderr == (
        f"2 lines of {host}/state/events.jsonl could not be read: a power cut or a full disk leaves such\n"
    )
    (host / "state" / "events.1.jsonl").write_bytes(b"{torn\n")
    result = run_command("events", "--config", host)
    assert f"1 line of {host}/state/events.1.jsonl could" in result.stderr
    assert f"2 lines of {host}/state/events.jsonl could" in result.stderr


def test_that_nothing_happened_is_said_with_what_happened_last(host, run_command):
    put(host, event(1, ago=7200.0), event(2, ago=7100.0))
    result = run_command("events", "--since", "1h", "--config", host)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("nothing happened since 20")
    assert result.stderr.endswith("  sentence 2\n")
    quiet = run_command("events", "--since", "1h", "--json", "--config", host)
    assert quiet.stdout + quiet.stderr == ""


def test_no_events_are_said_with_the_cure(host, run_command):
    result = run_command("events", "--config", host)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"cannot find events in {host}/state" in result.stderr
    assert "→ inferagent config check && sudo systemctl start inferagent" in result.stderr


def test_a_wrong_configuration_is_78(host, run_command):
    (host / "config.toml").write_text("[agent\n")
    assert run_command("events", "--config", host).exit_code == 78
    (host / "config.toml").write_text("[agent]\nstate = 3\n")
    result = run_command("events", "--config", host)
    assert (result.exit_code, "agent.state" in result.stderr) == (78, True)


def test_would_sums_up_and_is_given_alone(host, run_command):
    put(host, event(1, episode=Episode("watch", 1.0, 7200.0)))
    result = run_command("events", "--would", "--config", host)
    assert (result.exit_code, result.stdout) == (0, "would have done nothing in 2 h of watching\n")
    for more in (["-f"], ["-n", "3"], ["--json"]):
        assert run_command("events", "--would", *more, "--config", host).exit_code == 2


def test_would_without_any_watching_is_said(host, run_command):
    put(host, event(1))
    result = run_command("events", "--would", "--config", host)
    assert result.exit_code == 1
    assert "nothing was observed" in result.stderr
    assert 'mode = "observe"' in result.stderr


@pytest.mark.parametrize(("mode", "hours"), [("observe", "3 h"), ("act", "2 h")])
def test_would_goes_on_while_an_agent_observes(agent, run_command, status_of, mode, hours):
    host = agent.folder
    (host / "state").mkdir()
    with (host / "config.toml").open("a") as file:
        file.write(f'state = "{host}/state"\n')
    put(host, event(1, ago=3600.0, episode=Episode("watch", 1.0, 7200.0)))
    agent.shows = [status_of(mode=mode)]
    result = run_command("events", "--would", "--config", host)
    assert result.stdout == f"would have done nothing in {hours} of watching\n"


def test_following_tells_what_comes(host):
    put(host, event(1))
    words = ["-m", "inferagent.cli.main", "events", "-f", "--config", str(host)]
    child = subprocess.Popen([sys.executable, "-u", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert sentences(child.stdout.readline()) == [1]
        put(host, event(2))
        assert sentences(child.stdout.readline()) == [2]
        (host / "state" / "events.jsonl").rename(host / "state" / "events.1.jsonl")
        put(host, event(3))
        assert sentences(child.stdout.readline()) == [3]
        child.send_signal(2)
        assert child.wait(10) == 0
    finally:
        child.kill()
        child.communicate()


def test_it_starts_without_what_is_slow(host):
    put(host, event(1))
    code = (
        "import sys\nfrom inferagent.cli.main import cli\n"
        f"try: cli(['events', '--config', {str(host)!r}], prog_name='inferagent')\n"
        "except SystemExit: pass\nprint('LOADED', *sys.modules)\n"
    )
    begun = time.monotonic()
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(said.rpartition("LOADED")[2].split())
    assert loaded & {"pydantic", "httpx", "structlog", "asyncio", "h11"} == set()
    assert time.monotonic() - begun < 10.0
