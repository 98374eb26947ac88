"""The command: what it takes, what it hands on, how it ends."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inferagent.cli.install import OPTIONS, _given, _Repeated, _typed
from inferagent.cli.main import cli
from inferagent.cli.options import config_option
from inferagent.config.sources import EXPLAINED, NAMES


def ran(folder: Path, *words: str, **more: str) -> Result:
    return CliRunner().invoke(cli, ["install", *words, "--config", str(folder)], env={"PATH": "/nonexistent"})


def test_a_plan_needs_no_root_and_says_what_is_missing(tmp_path):
    done = ran(tmp_path, "cloudflared", "--source", "release", "--plan")
    assert done.exit_code == 1
    assert "no version is given → name it with --version" in done.output


def test_what_is_wrong_in_install_toml_ends_with_78(tmp_path):
    (tmp_path / "install.toml").write_text("[ollama]\nversion = 1\n")
    done = ran(tmp_path, "ollama", "--plan")
    assert done.exit_code == 78
    assert "install.toml:2: ollama.version" in done.output


def test_a_value_of_the_command_line_is_named_as_such(tmp_path):
    done = ran(tmp_path, "vllm", "--image", "vllm:latest", "--plan")
    assert done.exit_code == 78
    assert "the command line" in done.output
    assert "must be an image by its digest" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cloudflared --source release --version 2026.8.2 --sha256 xyz", "must be 64 hex digits, not 'xyz'"),
        ("ollama --source release", "ollama has no --source"),
        ("ollama --image x", "ollama has no --image"),
        (f"vllm --sha256 {'a' * 64}", "vllm has no --sha256"),
        ("cloudflared --source venv", "cloudflared has no --source venv: packages or release"),
        ("ollama --version banana", "must begin with a digit, such as 1.2.3, not 'banana' → leave --version"),
        ("vllm --version latest", "must begin with a digit, such as 1.2.3, not 'latest' → leave --version"),
    ],
)
def test_what_is_wrong_on_the_command_line_ends_with_2(tmp_path, words, said):
    done = ran(tmp_path, *words.split(), "--plan")
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_the_cure_repeats_what_was_typed(tmp_path):
    done = ran(tmp_path, "ollama", "--version", "0.2.0", "--last")
    again = f"sudo inferagent install ollama --version 0.2.0 --last --config {tmp_path}"
    assert (done.exit_code, done.output) == (1, f"cannot install ollama: only root may → {again}\n")


def typed(*words: str, **environment: str) -> str:
    found: list[str] = []
    command = _Repeated("x", callback=lambda folder: found.append(_typed(folder)))
    CliRunner().invoke(config_option(command), words, env=environment, catch_exceptions=False)
    return found[0]


def test_a_folder_of_the_environment_is_spelt_out_for_sudo(tmp_path):
    folder = tmp_path / "a b"
    assert typed() == ""
    assert typed("--config", str(folder)) == f"--config '{folder}'"
    assert typed(INFERAGENT_CONFIG=str(folder)) == f"--config '{folder}'"


def test_the_help_names_the_file_with_all_keys():
    done = CliRunner().invoke(cli, ["install", "--help"])
    assert str(EXPLAINED) in done.output


def test_only_parts_that_there_are():
    done = CliRunner().invoke(cli, ["install", "bash"])
    assert done.exit_code == 2
    assert all(name in done.output for name in NAMES)
    assert set(OPTIONS) == set(NAMES)


@pytest.mark.parametrize(
    ("name", "options", "source"),
    [
        ("vllm", {"image": "x"}, "image"),
        ("cloudflared", {"sha256": "ab"}, "release"),
        ("vllm", {"version": "1"}, None),
    ],
)
def test_what_says_its_source_by_itself(name, options, source):
    all_of_them = {"version": None, "source": None, "sha256": None, "image": None, **options}
    table = _given(name, **all_of_them)[name]
    assert isinstance(table, dict)
    assert table.get("source") == source
    assert _given(name, version=None, source=None, sha256=None, image=None) == {}
