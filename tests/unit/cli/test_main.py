import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from inferagent.cli.main import COMMANDS, cli

HEAVY = {"pydantic", "httpx", "structlog", "asyncio", "h11", "http.client", "psutil", "pynvml", "tomllib"}


def test_help_names_every_command(run_command):
    result = run_command("--help")
    assert result.exit_code == 0
    for name, line in COMMANDS.items():
        assert name in result.stdout
        assert line in result.stdout


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_every_command_explains_itself_and_takes_a_folder(run_command, name):
    command = cli.get_command(click.Context(cli), name)
    assert command.name == name
    assert command.help
    names = list(command.commands) if isinstance(command, click.Group) else [""]
    for inner in names:
        words = [name, *([inner] if inner else []), "--help"]
        result = run_command(*words)
        assert result.exit_code == 0
        assert "INFERAGENT_CONFIG" in result.stdout


@pytest.mark.parametrize(
    "words", [["nope"], ["--nope"], ["status", "x"], ["config", "nope"], ["status", "--config"]]
)
def test_a_usage_error_is_2(run_command, words):
    assert run_command(*words).exit_code == 2


def test_the_version_is_the_package_s(run_command):
    from inferagent import __version__

    assert run_command("--version").stdout == f"inferagent {__version__}\n"


def loaded_by(*words: str) -> set[str]:
    """The modules that a command loads, told by the command's own process."""
    code = (
        "import sys\n"
        "from inferagent.cli.main import cli\n"
        f"try: cli({list(words)!r}, prog_name='inferagent')\n"
        "except SystemExit: pass\n"
        "print('LOADED', *sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    return set(found.stdout.rpartition("LOADED")[2].split())


def test_help_loads_nothing_that_is_slow():
    assert loaded_by("--help") & HEAVY == set()


def test_status_loads_only_what_it_needs(tmp_path):
    assert loaded_by("status", "--config", str(tmp_path)) & HEAVY <= {"tomllib"}


UNSAID = [
    (["--help"], 1, ""),
    (["status", "--schema"], 3, ""),
    (["doctor", "--list"], 3, "1"),
    (["fault", "list", "--json"], 3, ""),
    (["config", "show"], 1, ""),
    (["config", "show"], 1, "1"),
]


@pytest.mark.parametrize(("words", "code", "unbuffered"), UNSAID)
def test_an_answer_that_cannot_be_written_is_one_line(tmp_path, words, code, unbuffered):
    from inferagent.adapters.clock import BootClock
    from inferagent.adapters.fault_file import FaultFile
    from inferagent.model.saved import Fault

    (tmp_path / "config.toml").write_text(f'[agent]\nrun = "{tmp_path}"\n')
    if words == ["config", "show"]:
        (tmp_path / "config.toml").unlink()
    FaultFile(tmp_path).keep((Fault(BootClock().boot(), "GPU-1", "lost", "GPU 1 is lost", 5.0),))
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "inferagent.cli.main", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            env={**os.environ, "INFERAGENT_CONFIG": str(tmp_path), "PYTHONUNBUFFERED": unbuffered},
        )
    assert ended.returncode == code
    assert ended.stderr.splitlines()[-1] == "cannot write the answer: no space left on device"
    assert "Traceback" not in ended.stderr


def test_nothing_can_be_written_anywhere():
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "inferagent.cli.main", "--help"]
        assert subprocess.run(words, stdout=full, stderr=full, timeout=30).returncode == 1


def test_help_is_fast():
    """The best of three, so that a busy machine does not count."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "inferagent.cli.main", "--help"], capture_output=True, check=True
        )
        times.append(time.perf_counter() - begun)
    assert min(times) < 3.0
