from inferagent.runtime.control import Answer


def test_a_test_tells_what_each_receiver_answered(agent, run_command):
    agent.answer = Answer(True, "webhook: hooks.example.com said 200 OK; exec: mail took it")
    result = run_command("notify", "test", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (0, f"{agent.answer.message}\n")
    assert agent.asked == ["notify test"]


def test_one_that_was_not_taken_is_1_with_its_cure(agent, run_command):
    agent.answer = Answer(False, "webhook: cannot connect", "look at [notify] webhook")
    result = run_command("notify", "test", "--config", agent.folder)
    assert result.exit_code == 1
    assert result.stderr == "webhook: cannot connect\n  → look at [notify] webhook\n"


def test_no_agent_is_3(run_command, tmp_path):
    assert run_command("notify", "test", "--config", tmp_path).exit_code == 3
