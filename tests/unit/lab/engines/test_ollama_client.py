"""The client commands, against the HTTP face they ask."""

import asyncio

import pytest

from inferagent.lab.engines import ollama_client
from inferagent.lab.engines.ollama import parse


@pytest.fixture
def command(ollama, monkeypatch):
    """Runs command lines against a server with the model `chat`; returns their exit codes."""

    async def run(*lines):
        async with ollama() as (client, _):
            monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{client.server.port}")
            return [await asyncio.to_thread(ollama_client.command, parse(line.split())) for line in lines]

    return run


async def test_lists(command, capsys):
    assert await command("list", "ps") == [0, 0]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "chat:latest", "NAME"]


async def test_create_from_a_file_or_a_model(command, capsys, tmp_path):
    weights, also = tmp_path / "Modelfile", tmp_path / "Also"
    (tmp_path / "w.gguf").write_bytes(b"weights")
    weights.write_text("# mine\nFROM ./w.gguf\nPARAMETER temperature 0\n")
    also.write_text("FROM mine\n")
    assert await command(f"create mine -f {weights}", f"create also -f {also}", "list") == [0, 0, 0]
    listed = [line.split() for line in capsys.readouterr().out.splitlines() if ":latest" in line]
    digests = {line[0]: line[1] for line in listed}
    assert digests["mine:latest"] == digests["also:latest"] != digests["chat:latest"]


async def test_what_goes_wrong_is_said(command, capsys, tmp_path):
    empty = tmp_path / "Modelfile"
    empty.write_text("PARAMETER temperature 0\n")
    lines = ("rm nope", f"create x -f {empty}", f"create x -f {tmp_path / 'none'}", "stop nope")
    assert await command(*lines) == [1] * 4
    said = capsys.readouterr().err
    assert "model 'nope' not found" in said
    assert "cannot find a FROM line" in said


async def test_stop_and_rm(command):
    assert await command("stop chat", "rm chat", "rm chat") == [0, 0, 1]
