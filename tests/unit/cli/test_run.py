"""`run` as a real process: what it answers before it is an agent, and that a signal ends it."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

DEADLINE = 20.0


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
