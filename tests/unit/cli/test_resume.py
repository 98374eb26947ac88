from inferagent.runtime.control import Answer


def test_resume_is_passed_on(agent, run_command):
    agent.answer = Answer(True, "resumed")
    result = run_command("resume", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (0, "resumed\n")
    assert agent.asked == ["resume"]


def test_wait_returns_when_the_host_serves(agent, run_command, status_of):
    agent.answer = Answer(True, "resumed")
    agent.shows = [status_of(phase="out", sentence="out, ready"), status_of(sentence="serving")]
    result = run_command("resume", "--wait", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (0, "resumed\nout, ready\nserving\n")


def test_a_host_that_does_not_serve_in_time_is_1(agent, run_command, status_of):
    agent.shows = [status_of(phase="out", sentence="out, warming")]
    result = run_command("resume", "--wait", "--limit", "100ms", "--config", agent.folder)
    assert result.exit_code == 1
    assert "not serving within" in result.stderr
