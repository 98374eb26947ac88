import pytest

from inferagent.runtime.control import Answer, DrainRequest


def test_every_option_reaches_the_agent(agent, run_command):
    words = ["--for", "2h", "--stop-engine", "--last", "--deadline", "90s", "--reason", "new disk"]
    result = run_command("drain", "--config", agent.folder, *words)
    assert (result.exit_code, result.stdout) == (0, "draining\n")
    wanted = DrainRequest("new disk", stop_engine=True, last=True, deadline=90.0, lasts=7200.0)
    assert agent.asked == [wanted]


def test_the_plain_drain_leaves_the_deadline_to_the_agent(agent, run_command):
    assert run_command("drain", "--config", agent.folder).exit_code == 0
    assert agent.asked == [DrainRequest()]


def test_wait_returns_when_the_host_is_out(agent, run_command, status_of):
    agent.shows = [
        status_of(phase="draining", hold="operator", sentence="draining, 1 in flight"),
        status_of(phase="out", hold="operator", sentence="out, held"),
    ]
    result = run_command("drain", "--wait", "--config", agent.folder)
    assert result.exit_code == 0
    assert result.stdout == "draining\ndraining, 1 in flight\nout, held\n"


def test_wait_gives_up_after_its_limit(agent, run_command, status_of):
    agent.shows = [status_of(phase="draining", hold="operator", sentence="draining, 1 in flight")]
    result = run_command("drain", "--wait", "--limit", "100ms", "--config", agent.folder)
    assert result.exit_code == 1
    assert "cannot wait any longer: not out within" in result.stderr


def test_a_refusal_is_1_with_its_reason(agent, run_command):
    agent.answer = Answer(False, "cannot drain: the last endpoint", "inferagent drain --last")
    result = run_command("drain", "--wait", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        result.stderr
        == f"cannot drain: the last endpoint\n  → inferagent drain --config {agent.folder} --wait --last\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--for", "soon"],
        ["--for", "367d"],
        ["--for", "-2h"],
        ["--deadline", "2d"],
        ["--deadline", "90"],
        ["--deadline", "0s"],
        ["--limit", "soon"],
        ["--nope"],
        ["x"],
    ],
)
def test_a_usage_error_is_2_and_reaches_nobody(agent, run_command, words):
    assert run_command("drain", "--config", agent.folder, *words).exit_code == 2
    assert agent.asked == []
