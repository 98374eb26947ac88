"""`run` as a real process: what it answers before it is an agent, and that a signal ends it."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

DEADLINE = 20.0
CONFIG = """
[agent]
run = "RUN"
state = "STATE"
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:8000"
command = ["engine-that-is-not-there"]
serves = { chat = "x" }
[connector]
command = ["connector-that-is-not-there"]
hostname = "gpu-home.example.com"
[membership]
kind = "pull"
"""


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def start(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "inferagent.cli.main", "run", "--config", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_wrong_configuration_is_78(folder):
    (folder / "config.toml").write_text("mode = 3\n")
    process = start(folder)
    output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 78
    assert f"{folder}/config.toml:1: mode: must be one of" in output
    assert "Traceback" not in output


def test_on_a_host_that_nobody_configured_it_says_so_first_of_all(folder):
    process = start(folder)
    try:
        assert process.stdout.readline() == f"unconfigured: there is no configuration in {folder}\n"
        assert "→ sudo inferagent setup" in process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE)


@pytest.mark.parametrize(("supervisor", "code"), [("", 78), ("systemd", 0)])
def test_a_configuration_that_comes_later_is_taken_up(folder, monkeypatch, supervisor, code):
    """In the foreground at once; under systemd by its next start, which brings the credentials."""
    monkeypatch.setenv("INFERAGENT_SUPERVISED", supervisor)
    process = start(folder)
    assert process.stdout.readline().startswith("unconfigured: ")
    (folder / "config.toml").write_text("mode = 3\n")
    output, _ = process.communicate(timeout=DEADLINE)
    assert (process.returncode, "mode: must be one of" in output) == (code, code == 78), output


def test_a_runtime_folder_that_cannot_be_is_said_with_its_cure(folder):
    (folder / "config.toml").write_text(
        CONFIG.replace("RUN", "/proc/inferagent").replace("STATE", str(folder))
    )
    process = start(folder)
    output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "cannot start: cannot lock /proc/inferagent/agent.lock" in output
    assert "→ name another folder: run under [agent]" in output
    assert "Traceback" not in output
