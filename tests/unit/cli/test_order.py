import pytest

from inferagent.cli.order import order
from inferagent.runtime.control import Answer


def test_an_order_that_is_taken_says_so(agent, capsys):
    agent.answer = Answer(True, "the hold ends with this boot", "df -h")
    order(agent.folder, "/v1/resume", {}, None)
    assert capsys.readouterr().out == "the hold ends with this boot\n  → df -h\n"
    assert agent.asked == ["resume"]


def test_a_refusal_ends_the_command_with_1(agent, capsys):
    agent.answer = Answer(False, "cannot drain: the last one", "inferagent drain --last")
    with pytest.raises(SystemExit) as caught:
        order(agent.folder, "/v1/drain", {}, None)
    assert caught.value.code == 1
    assert capsys.readouterr().err == "cannot drain: the last one\n  → inferagent drain --last\n"


def test_nobody_there_ends_the_command_with_3(tmp_path, capsys):
    (tmp_path / "config.toml").write_text(f'[agent]\nrun = "{tmp_path}"\n')
    with pytest.raises(SystemExit) as caught:
        order(tmp_path, "/v1/drain", {}, None)
    assert caught.value.code == 3
    assert "cannot reach the agent" in capsys.readouterr().err
