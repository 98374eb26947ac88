from pathlib import Path

import pytest
from tests.real.programs import KINDS, Program, cache_folder, environment, find, models, version, version_in


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\necho 1.2.3\n")
    path.chmod(0o755)
    return path


def cache_with(folder: Path, *places: str) -> dict[str, str]:
    """Variables that name a cache with programs and models of these places."""
    for place in places:
        program(folder / place)
    return {"INFERAGENT_REAL_CACHE": str(folder), "PATH": ""}


def test_the_cache_lies_where_a_variable_says_or_with_the_other_caches(tmp_path) -> None:
    assert cache_folder({"INFERAGENT_REAL_CACHE": str(tmp_path)}) == tmp_path
    assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/inferagent-real")
    assert cache_folder({}) == Path.home() / ".cache" / "inferagent-real"


def test_a_named_program_goes_before_path_and_path_before_the_cache(tmp_path) -> None:
    variables = cache_with(tmp_path / "cache", "ollama/bin/ollama")
    assert find(KINDS["ollama"], variables).origin == "in the cache"
    program(tmp_path / "path" / "ollama")
    variables["PATH"] = str(tmp_path / "path")
    assert find(KINDS["ollama"], variables).origin == "on PATH"
    variables["INFERAGENT_OLLAMA"] = str(program(tmp_path / "own"))
    assert find(KINDS["ollama"], variables).path == tmp_path / "own"


def test_what_a_variable_names_must_run(tmp_path) -> None:
    for named in (tmp_path / "nothing", tmp_path):
        with pytest.raises(ValueError, match="cannot run INFERAGENT_VLLM="):
            find(KINDS["vllm"], {"INFERAGENT_VLLM": str(named)})


def test_what_is_nowhere_is_not_found(tmp_path) -> None:
    variables = cache_with(tmp_path)
    assert [find(kind, variables) for kind in KINDS.values()] == [None] * len(KINDS)
    assert environment(variables=variables) == {}


def test_the_environment_names_programs_with_their_models(tmp_path) -> None:
    variables = cache_with(
        tmp_path, "vllm/run/vllm", "models/tiny-llama", "ollama/bin/ollama", "models/tiny.gguf"
    )
    variables["INFERAGENT_OLLAMA_MODEL"] = "/mine.gguf"
    assert environment(variables=variables) == {
        "INFERAGENT_VLLM": str(tmp_path / "vllm/run/vllm"),
        "INFERAGENT_VLLM_MODEL": str(tmp_path / "models/tiny-llama"),
        "INFERAGENT_OLLAMA": str(tmp_path / "ollama/bin/ollama"),
        "INFERAGENT_OLLAMA_MODEL": "/mine.gguf",
    }
    assert set(environment(("vllm",), variables)) == {"INFERAGENT_VLLM", "INFERAGENT_VLLM_MODEL"}


def test_a_program_without_its_model_is_left_out(tmp_path) -> None:
    variables = cache_with(tmp_path, "vllm/run/vllm")
    assert models(KINDS["vllm"], variables) == {"INFERAGENT_VLLM_MODEL": ""}
    assert environment(variables=variables) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026.8.2\n", "2026.8.2"),
        ("Warning: could not connect to 127.0.0.1\nWarning: client version is 0.17.4\n", "0.17.4"),
        ("0.32.0+cpu\n", "0.32.0+cpu"),
        ("no number", "?"),
    ],
)
def test_a_version_is_the_last_number_that_is_said(text, found) -> None:
    assert version_in(text) == found


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 0.32.0+cpu; echo '[W1122 13:05:00.556000 x.py:12]' >&2", "0.32.0+cpu"),
        ("echo 'client version is 0.17.4' >&2", "0.17.4"),
        ("exit 1", "?"),
    ],
)
def test_a_program_is_asked_for_its_version(tmp_path, script, said) -> None:
    path = program(tmp_path / "program")
    path.write_text(f"#!/bin/sh\n{script}\n")
    assert version(Program(KINDS["cloudflared"], path, "here")) == said
