import pytest
from tests.real.__main__ import described, last_line_of_get, main
from tests.real.get_all import Had
from tests.real.programs import KINDS, Program


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch, tmp_path):
    for kind in KINDS.values():
        for variable in (kind.variable, *(variable for variable, _ in kind.needs)):
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("INFERAGENT_REAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")


def test_exports_for_a_shell(monkeypatch, tmp_path, capsys) -> None:
    own = tmp_path / "my cloudflared"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("INFERAGENT_CLOUDFLARED", str(own))
    assert main(["--env"]) == 0
    assert capsys.readouterr().out == f"export INFERAGENT_CLOUDFLARED='{own}'\n"


def test_a_variable_that_names_nothing_is_an_error(monkeypatch, capsys) -> None:
    monkeypatch.setenv("INFERAGENT_VLLM", "/nowhere/vllm")
    assert main(["--env"]) == 2
    assert "cannot run INFERAGENT_VLLM=/nowhere/vllm" in capsys.readouterr().err


def test_what_cannot_be_had_is_skipped_loudly(capsys) -> None:
    assert main(["--get", "--only", "cloudflared"]) == 0
    said = capsys.readouterr()
    assert "SKIPPED cloudflared: not on PATH; set INFERAGENT_CLOUDFLARED" in said.err
    assert said.out.splitlines()[-1] == (
        "there: nothing; skipped 1: cloudflared (not on PATH; set INFERAGENT_CLOUDFLARED)"
    )


def test_each_program_is_told_with_where_it_is_from(tmp_path) -> None:
    program = Program(KINDS["ollama"], tmp_path / "ollama", "on PATH")
    assert described(Had(KINDS["ollama"], program), {"ollama": "0.17.4"}) == (
        f"Ollama 0.17.4, on PATH: {tmp_path / 'ollama'}"
    )
    assert last_line_of_get({"ollama": "0.17.4"}, {}) == "there: Ollama 0.17.4; skipped 0"
