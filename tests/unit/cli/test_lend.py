"""`inferagent lend`."""

import pytest

from inferagent.runtime.control import Answer
from inferagent.runtime.desk import LendRequest


def test_every_option_reaches_the_agent(agent, run_command):
    words = ["--for", "2h", "--last", "--deadline", "90s", "--reason", "play"]
    result = run_command("lend", "--config", agent.folder, *words)
    assert (result.exit_code, result.stdout) == (0, "draining\n")
    assert agent.asked == [LendRequest(7200.0, "play", last=True, deadline=90.0)]


def test_the_agent_s_own_words_are_shown(agent, run_command):
    agent.answer = Answer(
        True, "lent until 18:30, in 2h: drains, stops the engine, which frees 18 GB on GPU 0"
    )
    assert run_command("lend", "--for", "2h", "--config", agent.folder).stdout == f"{agent.answer.message}\n"


@pytest.mark.parametrize(
    "words", [[], ["--for", "2"], ["--for", "0s"], ["--for", "off"], ["--for", "2h", "x"]]
)
def test_without_a_span_it_is_a_usage_error(agent, run_command, words):
    assert run_command("lend", "--config", agent.folder, *words).exit_code == 2
    assert agent.asked == []


def test_the_last_endpoint_is_refused_with_the_cure(agent, run_command):
    agent.answer = Answer(
        False, "cannot lend: no other endpoint is effective", "inferagent lend --for 2h --last"
    )
    result = run_command("lend", "--for", "2h", "--wait", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(f"\n  → inferagent lend --config {agent.folder} --for 2h --wait --last\n")


def test_wait_returns_when_the_gpu_is_free(agent, run_command, status_of):
    """Out is not enough: the engine is stopped after that."""
    agent.shows = [
        status_of(phase="draining", hold="operator", sentence="draining"),
        status_of(phase="out", hold="operator", sentence="out, held"),
        status_of(phase="out", hold="operator", sentence="out, lent", lent=True),
    ]
    result = run_command("lend", "--for", "2h", "--wait", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (0, "draining\ndraining\nout, held\nout, lent\n")
