"""The command of the demo: wrong arguments, a start that breaks off, what it says of itself."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.demo_fakes import FakeHost, FakeWorld

from inferagent.lab.demo import main
from inferagent.lab.demo.programs import connector, ollama


def test_a_demo_that_cannot_begin_says_why_and_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("no folder")
    assert main.run(tmp_path / "taken") == 1
    said = capsys.readouterr().out
    assert "the demo broke off: " in said
    assert "taken" in said.replace("\n", "")


def test_it_says_which_programs_run_and_what_is_shortened(tmp_path: Path) -> None:
    host = FakeHost("home-gpu", engine=ollama(tmp_path))
    host.connector = connector([], "ca.pem")  # type: ignore[attr-defined]
    world = FakeWorld(host)
    world.info["public"] = "http://127.0.0.1:1"
    screen = Console(file=io.StringIO(), width=400)
    main._introduce(world, screen)
    said = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert said[0] == f"home-gpu: {host.engine.about}, {host.connector.about}"  # type: ignore[attr-defined]
    assert "drain.settle = 4s" in said[1]
    assert "the monitor looks every 2 s" in said[1]
    assert said[2] == "users call http://127.0.0.1:1/v1 as llm.example.com, model chat"
