"""Undo on the disk; what it does at Cloudflare: test_outside.py and tests/integration/setup."""

from dataclasses import replace
from pathlib import Path

import pytest

from inferagent.model.membership import MembershipKind
from inferagent.programs.setup.record import POINTER, Record
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.running import run
from inferagent.programs.setup.undoing import undo


def attempt(folder: Path, **options: Path) -> tuple[int, list[str]]:
    said: list[str] = []
    return undo(folder, echo=said.append, **options), said


@pytest.fixture
def done(plain: SetupRequest) -> SetupRequest:
    """A setup that asked no API, carried out."""
    alone = replace(plain, membership=MembershipKind.PULL, api_token_file=None)
    assert run(alone, apply=True, confirm=lambda _: True, echo=lambda _: None) == 0
    return alone


def test_nothing_to_undo(tmp_path: Path) -> None:
    assert attempt(tmp_path, state_dir=tmp_path) == (0, ["nothing to undo: there is no undo record"])


def test_files_and_folders_go(done: SetupRequest) -> None:
    code, said = attempt(done.config_dir)
    assert (code, said[0]) == (0, f"removed {done.config_dir / 'config.toml'}")
    assert not done.config_dir.exists()
    assert not done.state_dir.exists()


def test_the_record_is_found_by_the_configuration_too(done: SetupRequest) -> None:
    (done.config_dir / POINTER).unlink()
    assert attempt(done.config_dir)[0] == 0
    assert not done.state_dir.exists()


def test_the_record_is_found_when_the_configuration_is_broken(done: SetupRequest) -> None:
    (done.config_dir / "config.toml").write_text("mode = ")
    assert attempt(done.config_dir)[0] == 0
    assert not done.state_dir.exists()


def test_without_a_token_what_is_outside_cannot_be_undone_and_nothing_is_lost(done: SetupRequest) -> None:
    record = Record(done.state_dir)
    record.open({})
    record.begin("tunnel gpu-a", {"kind": "tunnel", "made": True})
    code, said = attempt(done.config_dir)
    assert code == 1
    assert "cannot read the API token" in said[0]
    assert (done.config_dir / "config.toml").exists()
    assert record.path.exists()


def test_a_record_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "setup-undo.jsonl").mkdir()
    code, said = attempt(tmp_path, state_dir=tmp_path)
    assert code == 1
    assert said[0].startswith("cannot undo: ")


def test_an_agent_that_goes_on_is_told_of(done: SetupRequest) -> None:
    done.run_dir.mkdir(parents=True)
    (done.run_dir / "control.sock").touch()
    assert "left to you: sudo systemctl restart inferagent: the agent" in attempt(done.config_dir)[1][-1]


def test_what_only_root_may_undo_names_sudo(done: SetupRequest) -> None:
    said: list[str] = []

    def refused() -> bool:
        raise PermissionError(13, "Permission denied", str(done.state_dir))

    assert undo(done.config_dir, echo=said.append, confirm=refused) == 1
    assert said[-1] == "cannot undo: Permission denied; run it with sudo"


def test_what_would_be_put_back_is_shown_before_the_question(done: SetupRequest) -> None:
    said: list[str] = []
    asked: list[int] = []

    def confirm() -> bool:
        asked.append(len(said))
        return len(asked) > 1

    assert undo(done.config_dir, echo=said.append, confirm=confirm) == 1
    assert said == [
        "undo what setup changed:",
        f"  1. file {done.config_dir / 'config.toml'}",
        f"  2. file {done.config_dir / POINTER}",
        "nothing was changed",
    ]
    assert (done.config_dir / "config.toml").exists()
    assert undo(done.config_dir, echo=said.append, confirm=confirm) == 0
    assert asked == [3, 7]
    assert not done.config_dir.exists()


def test_nothing_to_undo_is_not_asked_for(tmp_path: Path) -> None:
    asked: list[str] = []
    assert undo(tmp_path, echo=asked.append, state_dir=tmp_path, confirm=lambda: not asked.append("?")) == 0
    assert asked == ["nothing to undo: there is no undo record"]
