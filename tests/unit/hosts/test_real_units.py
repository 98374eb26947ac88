"""The real programs as units: what is bound into a host, and what their unit files say."""

from pathlib import Path

from tests.hosts.real_units import binds, ollama, pythons_of, vllm


def environment_in(folder: Path) -> Path:
    """A virtual environment made of a Python beside it; its program."""
    for place in ("python/bin", "venv/bin"):
        (folder / place).mkdir(parents=True)
    (folder / "venv/pyvenv.cfg").write_text(f"version = 3.11\nhome = {folder}/python/bin\n")
    program = folder / "venv/bin/vllm"
    program.write_text(f"#!{folder}/venv/bin/python\n")
    return program


def test_a_program_brings_its_environment_and_the_python_of_that(tmp_path: Path) -> None:
    program = environment_in(tmp_path)
    wanted = {tmp_path / "venv", tmp_path / "python"}
    assert pythons_of(program) == wanted
    script = tmp_path / "vllm"
    script.write_text(f'#!/bin/sh\nexport PATH="{tmp_path}/venv/bin:$PATH"\nexec {program} "$@"\n')
    assert pythons_of(script) == wanted


def test_a_program_without_a_python_brings_nothing(tmp_path: Path) -> None:
    program = tmp_path / "ollama"
    program.write_bytes(b"\x7fELF\x00/usr/lib\x00")
    assert pythons_of(program) == set()


def test_engines_are_units_that_always_come_back(tmp_path: Path) -> None:
    program = environment_in(tmp_path)
    named = {"INFERAGENT_OLLAMA": "/opt/ollama", "OLLAMA_MODELS": "/store"}
    named |= {"INFERAGENT_VLLM": str(program), "INFERAGENT_VLLM_MODEL": "/models/tiny"}
    for engine in (ollama(named), vllm(named)):
        text = engine.text()
        assert "Restart=always" in text
        assert f"User={engine.kind}" in text
        assert f"ExecStart={engine.exec_start}" in text
    assert binds(ollama(named), "/opt/cloudflared") == [
        "--bind-ro=/opt/cloudflared:/usr/bin/cloudflared",
        "--bind-ro=/opt/ollama:/usr/local/bin/ollama",
    ]
    bound = binds(vllm(named), "/opt/cloudflared")
    assert f"--bind-ro={tmp_path}/venv:{tmp_path}/venv" in bound
