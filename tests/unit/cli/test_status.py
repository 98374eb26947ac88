import json

import pytest

from inferagent.runtime.schema import schema


@pytest.mark.parametrize("code", [0, 1, 3, 4])
def test_the_exit_code_is_the_document_s(agent, run_command, status_of, code):
    agent.shows = [status_of(exit_code=code)]
    result = run_command("status", "--config", agent.folder)
    assert result.exit_code == code
    assert result.stdout.startswith("gpu-home  SERVING 4m\n")
    assert "\x1b" not in result.stdout


def test_an_exit_code_that_is_none_is_unknown(agent, run_command, status_of):
    agent.shows = [status_of(exit_code=77)]
    assert run_command("status", "--config", agent.folder).exit_code == 3


def test_json_is_the_document_as_it_came(agent, run_command, status_of):
    agent.shows = [status_of()]
    result = run_command("status", "--json", "--config", agent.folder)
    document = json.loads(result.stdout)
    assert (document["api"], document["schema"], document["engine"]["name"]) == (1, 1, "vllm")


def test_an_agent_that_cannot_tell_yet_is_unknown(agent, run_command):
    result = run_command("status", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "cannot tell yet" in result.stderr


def test_an_unreachable_agent_is_3_with_the_cure(tmp_path, run_command):
    (tmp_path / "config.toml").write_text(f'[agent]\nrun = "{tmp_path}"\n')
    result = run_command("status", "--config", tmp_path)
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"cannot reach the agent at {tmp_path}/control.sock" in result.stderr
    assert "→ inferagent config check && sudo systemctl start inferagent" in result.stderr


def test_on_a_host_that_nobody_configured_setup_is_the_cure(tmp_path, run_command):
    (tmp_path / "conf.d").mkdir()
    result = run_command("status", "--config", tmp_path / "nowhere")
    assert result.exit_code == 3
    assert "→ sudo inferagent setup" in result.stderr


def test_the_schema_of_the_answers_needs_no_agent(tmp_path, run_command):
    result = run_command("status", "--schema", "--config", tmp_path / "nowhere")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == schema()
