"""`inferagent reload`."""

from inferagent.runtime.control import Answer


def test_what_was_applied_is_told(agent, run_command):
    agent.answer = Answer(
        True, "applied: drain.settle; needs a restart: mode", "sudo systemctl restart inferagent"
    )
    result = run_command("reload", "--config", agent.folder)
    assert result.exit_code == 0
    assert result.stdout == f"{agent.answer.message}\n  → {agent.answer.cure}\n"
    assert agent.asked == ["reload"]


def test_errors_come_whole_and_the_command_fails(agent, run_command):
    agent.answer = Answer(
        False, "cannot reload: 2 errors\na.toml:1: x\na.toml:2: y", "inferagent config check"
    )
    result = run_command("reload", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{agent.answer.message}\n  → inferagent config check\n"
