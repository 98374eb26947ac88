"""Cures that only the command can complete."""

import shlex
from pathlib import Path

import pytest

from inferagent.cli.again import fuller
from inferagent.runtime.control import Answer

WORDS = ("--for", "40m", "--stop-engine", "--deadline", "90s", "--reason", "new disk; it's slow")


@pytest.mark.parametrize("cure", ["inferagent drain --last", "inferagent drain --for 40m --last"])
def test_what_was_asked_for_is_asked_for_again_with_what_it_lacks(agent, run_command, cure):
    agent.answer = Answer(False, "cannot drain: the last one", cure)
    result = run_command("drain", "--config", agent.folder, *WORDS)
    again = result.stderr.splitlines()[1].removeprefix("  → inferagent ")
    assert shlex.split(again)[0] == "drain"
    assert shlex.split(again)[-1] == "--last"
    first = agent.asked[-1]
    agent.answer = Answer(True, "held")
    assert run_command(*shlex.split(again)).exit_code == 0
    second = agent.asked[-1]
    assert (second.last, first.last) == (True, False)
    same = ("reason", "stop_engine", "deadline", "lasts")
    assert [getattr(second, name) for name in same] == [getattr(first, name) for name in same]


def test_a_plain_try_again_keeps_the_options_and_adds_none(agent, run_command):
    agent.answer = Answer(False, "cannot drain: the agent has just started; try again", "inferagent drain")
    result = run_command("drain", "--config", agent.folder, "--last", "--for", "2h")
    assert result.stderr.endswith(f"→ inferagent drain --config {agent.folder} --for 2h --last\n")


@pytest.mark.parametrize("cure", ["inferagent status", "inferagent draining", "df -h", ""])
def test_any_other_cure_stays(agent, run_command, cure):
    agent.answer = Answer(False, "cannot drain: why", cure)
    result = run_command("drain", "--config", agent.folder, "--for", "2h")
    assert result.stderr == "cannot drain: why\n" + (f"  → {cure}\n" if cure else "")


@pytest.mark.parametrize("name", ["drain", "resume"])
def test_a_changed_mode_needs_a_restart_and_the_cure_says_so(agent, run_command, name):
    agent.answer = Answer(False, f'cannot {name}: the mode is "observe"', 'mode = "act" in config.toml')
    result = run_command(name, "--config", agent.folder)
    cure = result.stderr.splitlines()[1]
    assert f'"act" into {agent.folder}/config.toml, then sudo systemctl restart inferagent' in cure


def test_outside_of_a_command_nothing_is_added():
    assert fuller("inferagent drain --last", Path("/etc/inferagent")) == "inferagent drain --last"
