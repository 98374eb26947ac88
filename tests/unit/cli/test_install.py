"""The command: what it takes, what it hands on, how it ends."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inferagent.cli.install import _given
from inferagent.cli.main import cli
from inferagent.config.sources import NAMES


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


def test_only_parts_that_there_are():
    done = CliRunner().invoke(cli, ["install", "bash"])
    assert done.exit_code == 2
    assert all(name in done.output for name in NAMES)


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
