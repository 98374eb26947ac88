"""Real programs where they are found, stand-ins else; a wrong name is said, not guessed around."""

import sys
from pathlib import Path

import pytest

from inferagent.lab.demo.programs import PUBLIC_NAME, connector, ollama, vllm

VARIABLES = (
    "INFERAGENT_CLOUDFLARED",
    "INFERAGENT_OLLAMA",
    "INFERAGENT_VLLM",
    "INFERAGENT_VLLM_MODEL",
    "OLLAMA_MODELS",
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing installed, no store of models."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "program"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_stand_ins_where_nothing_is_found(tmp_path: Path) -> None:
    for made in (vllm(tmp_path), ollama(tmp_path), connector(["127.0.0.1:7844"], "ca.pem")):
        assert made.real is False
        assert made.about.startswith("stand-in")
        assert made.command[:2] == (sys.executable, "-m")


def test_real_programs_where_they_are_named(
    tmp_path: Path, binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES[:3]:
        monkeypatch.setenv(name, str(binary))
    assert connector(["a:1", "b:1"], "ca.pem").command == (
        *(str(binary), "tunnel", "--edge", "a:1", "--edge", "b:1"),
        *("--cacert", "ca.pem", "--protocol", "http2", "--no-prechecks", "run"),
    )
    assert vllm(tmp_path).about == "stand-in vLLM (set INFERAGENT_VLLM_MODEL for the real one)"
    monkeypatch.setenv("INFERAGENT_VLLM_MODEL", "models/tiny")
    assert vllm(tmp_path).command[:5] == (
        str(binary),
        "serve",
        "models/tiny",
        "--served-model-name",
        PUBLIC_NAME,
    )


def test_a_real_ollama_needs_the_model_in_its_store(
    tmp_path: Path, binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERAGENT_OLLAMA", str(binary))
    assert ollama(tmp_path).about == f"stand-in Ollama (the real one has no model {PUBLIC_NAME}: ollama cp)"
    store = tmp_path / "store"
    held = store / "manifests" / "registry.example.com" / "library" / PUBLIC_NAME / "latest"
    held.parent.mkdir(parents=True)
    held.touch()
    monkeypatch.setenv("OLLAMA_MODELS", str(store))
    made = ollama(tmp_path)
    assert (made.real, made.command, made.environment["OLLAMA_MODELS"]) == (
        True,
        (str(binary), "serve"),
        str(store),
    )


def test_a_stand_in_can_be_asked_for_where_the_real_one_is_named(
    tmp_path: Path, binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES[:3]:
        monkeypatch.setenv(name, str(binary))
    held = tmp_path / "store" / "manifests" / "registry.example.com" / "library" / PUBLIC_NAME / "latest"
    held.parent.mkdir(parents=True)
    held.touch()
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("INFERAGENT_VLLM_MODEL", "models/tiny")
    for real in (True, False):
        made = vllm(tmp_path, real), ollama(tmp_path, real), connector(["a:1"], "ca.pem", real)
        assert [each.real for each in made] == [real] * 3
        assert [each.about.startswith("real ") for each in made] == [real] * 3


@pytest.mark.parametrize("name", VARIABLES[:3])
def test_a_program_that_is_named_and_not_there_is_an_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "nothing"))
    with pytest.raises(SystemExit, match=f"cannot run {name}="):
        vllm(tmp_path), ollama(tmp_path), connector([], "")


def test_an_engine_learns_its_port_and_a_stand_in_its_host(tmp_path: Path) -> None:
    one = vllm(tmp_path).bound_to(8001, "gpu-a")
    assert one.command[-4:] == ("--host", "127.0.0.1", "--port", "8001")
    assert one.environment["LAB_HOST_NAME"] == "gpu-a"
    other = ollama(tmp_path).bound_to(8002, "gpu-b")
    assert other.environment["OLLAMA_HOST"] == "127.0.0.1:8002"
    assert other.environment["LAB_HOST_NAME"] == "gpu-b"
    assert "8002" not in " ".join(other.command)
