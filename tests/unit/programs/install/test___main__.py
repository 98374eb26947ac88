"""The program behind the sockets: one line of JSON for its caller, the rest for the journal."""

import json
import os
import subprocess
import sys

import pytest


def answered(*words: str, folder: str = "/nonexistent") -> tuple[dict[str, object], str]:
    argv = [sys.executable, "-m", "inferagent.programs.install", *words]
    environment = {**os.environ, "PATH": folder}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0
    found: dict[str, object] = json.loads(done.stdout)
    return found, done.stderr


def test_what_went_wrong_is_said_to_the_caller_and_to_the_journal(tmp_path):
    (tmp_path / "install.toml").write_text("[vllm]\nversion = 1\n")
    found, journal = answered("vllm", "--config", str(tmp_path))
    assert found["ok"] is False
    said = str(found["message"])
    assert "vllm.version: must be a version" in said or "only root may" in said
    assert said in journal


@pytest.mark.parametrize("words", [(), ("bash",), ("vllm", "--version", "1"), ("vllm", "ollama")])
def test_nothing_else_can_be_asked_for(words):
    found, _ = answered(*words)
    assert (found["ok"], found["refused"]) == (False, True)
