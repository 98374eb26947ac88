import json

import pytest

PLAIN = [
    "--public",
    "chat.example.com",
    "--host",
    "gpu-home",
    "--engine",
    "ollama",
    "--serves",
    "chat=llama3:8b",
]
PULL = [*PLAIN, "--membership", "pull", "--engine-command", "ollama serve"]


@pytest.fixture
def place(tmp_path):
    return ["--config", tmp_path / "conf", "--state-dir", tmp_path / "state", "--run-dir", tmp_path / "run"]


def test_plan_shows_and_changes_nothing(tmp_path, place, run_command):
    result = run_command("setup", *place, *PULL, "--plan")
    assert result.exit_code == 0
    assert f"1. write {tmp_path}/conf/config.toml; mode act: from now on" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_no_is_no(tmp_path, place, run_command):
    result = run_command("setup", *place, *PULL, input="n\n")
    assert result.exit_code == 1
    assert "nothing was changed" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_yes_applies_what_the_check_finds_right_and_undo_takes_it_back(tmp_path, place, run_command):
    assert run_command("setup", *place, *PULL, "--yes").exit_code == 0
    assert run_command("config", "check", "--config", tmp_path / "conf").exit_code == 0
    again = run_command("setup", *place, *PULL, "--plan")
    assert "nothing to do" in again.stdout
    assert run_command("setup", *place, "--undo", "--yes").exit_code == 0
    assert not (tmp_path / "conf" / "config.toml").exists()


def test_json_gives_one_object_a_line(place, run_command):
    result = run_command("setup", *place, *PULL, "--plan", "--json")
    lines = [json.loads(line)["line"] for line in result.stdout.splitlines()]
    assert any("write" in line for line in lines)


def test_an_undo_is_asked_for_and_has_no_plan(place, run_command):
    nothing = run_command("setup", *place, "--undo", input="n\n")
    assert (nothing.exit_code, nothing.stdout) == (0, "nothing to undo: there is no undo record\n")
    assert run_command("setup", *place, *PULL, "--yes").exit_code == 0
    refused = run_command("setup", *place, "--undo", input="n\n")
    assert refused.exit_code == 1
    assert "nothing was changed" in refused.stdout
    assert run_command("setup", *place, "--undo", "--plan").exit_code == 2


@pytest.mark.parametrize("words", [[], PLAIN[:4], ["--engine", "tpu"], [*PLAIN, "--ready-port", "0"]])
def test_too_little_or_too_odd_is_a_usage_error(place, run_command, words):
    assert run_command("setup", *place, *words).exit_code == 2


def test_an_own_pool_without_a_token_is_refused_with_the_way_out(place, run_command):
    result = run_command("setup", *place, *PLAIN, "--engine-command", "ollama serve", "--plan")
    assert result.exit_code == 1
    assert "--api-token-file" in result.output
