"""The completion scripts: current, and what a person gets who presses TAB."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inferagent.cli.main import COMMANDS

PACKAGING = Path(__file__).parents[2] / "packaging"
SCRIPTS = PACKAGING / "completion"


def test_the_scripts_are_those_that_would_be_made_now(tmp_path):
    subprocess.run([sys.executable, PACKAGING / "completion.py", tmp_path], check=True)
    made = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text("utf-8") for path in SCRIPTS.iterdir()}
    assert set(made) == {"inferagent.bash", "_inferagent", "inferagent.fish"}


@pytest.fixture
def program(tmp_path):
    """A folder with an `inferagent` in it."""
    path = tmp_path / "inferagent"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -m inferagent.cli.main "$@"\n')
    path.chmod(0o755)
    return tmp_path


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("inferagent st", {"status"}),
        ("inferagent status --w", {"--watch"}),
        ("inferagent config ", {"check", "show"}),
        ("inferagent ", set(COMMANDS)),
    ],
)
def test_tab_in_bash(program, line, found):
    words = " ".join(f"'{word}'" for word in line.split(" "))
    script = f"""
source {SCRIPTS}/inferagent.bash
COMP_WORDS=({words})
COMP_CWORD={line.count(" ")}
_inferagent_completion inferagent
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    environment = {**os.environ, "PATH": f"{program}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert set(done.stdout.split()) == found
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("shell", "variables", "says"),
    [
        ("zsh", {"COMP_WORDS": "inferagent sta", "COMP_CWORD": "1"}, "plain\nstatus\n"),
        ("fish", {"COMP_WORDS": "inferagent sta", "COMP_CWORD": "sta"}, "plain,status\t"),
    ],
)
def test_what_the_program_answers_the_other_shells(program, shell, variables, says):
    environment = {**os.environ, **variables, "_INFERAGENT_COMPLETE": f"{shell}_complete"}
    done = subprocess.run(
        [program / "inferagent"], capture_output=True, text=True, env=environment, check=True
    )
    assert says in done.stdout or says.replace("\t", "") in done.stdout
