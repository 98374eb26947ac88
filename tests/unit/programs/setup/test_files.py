"""Local files written and put back."""

import stat
from pathlib import Path

import pytest

from inferagent.ports import PortError
from inferagent.programs.setup.files import FileStep, digest, read_text, undo_file


def step(path: Path, text: str, secret: bool = False) -> FileStep:
    return FileStep({"id": "7"}, path, lambda ids: text + ids["id"], f"write {path}", secret)


def test_a_new_file_goes_again_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "deep" / "config.toml"
    write = step(path, "text")
    intent, result = write.intent(), write.apply()
    assert path.read_text() == "text7"
    assert intent["after"] == digest("text7")
    assert undo_file(intent, result) == f"removed {path}"
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")
    write = step(path, "new")
    intent = write.intent()
    undo_file(intent, write.apply())
    assert path.read_text() == "old"


def test_a_secret_is_shut_and_never_in_the_record(tmp_path: Path) -> None:
    path = tmp_path / "credentials" / "token"
    path.parent.mkdir()
    path.write_text("old secret")
    write = step(path, "new secret", secret=True)
    intent = write.intent()
    assert not [
        value for value in intent.values() if "old secret" in str(value) or "new secret" in str(value)
    ]
    result = write.apply()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert undo_file(intent, result) == f"put {path} back"
    assert path.read_text() == "old secret"
    assert [p.name for p in path.parent.iterdir()] == ["token"]


def test_a_secret_replaced_twice_keeps_the_first(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first")
    done = []
    for text in ("second", "third"):
        write = step(path, text, secret=True)
        done.append((write.intent(), write.apply()))
    for intent, result in reversed(done):
        undo_file(intent, result)
    assert path.read_text() == "first"


def test_a_step_that_never_wrote_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")
    intent = step(path, "new").intent()
    assert undo_file(intent, {}).startswith("left")
    assert path.read_text() == "old"


def test_a_secret_that_was_not_yet_replaced_stays(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first")
    intent = step(path, "second", secret=True).intent()
    assert undo_file(intent, {}).startswith("left")
    assert path.read_text() == "first"


def test_a_file_that_a_person_changed_is_kept_beside(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")
    write = step(path, "new")
    intent, result = write.intent(), write.apply()
    path.write_text("new and more")
    undo_file(intent, result)
    assert path.read_text() == "old"
    assert (tmp_path / "config.toml.before-undo").read_text() == "new and more"


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="cannot read"):
        read_text(tmp_path)
    (tmp_path / "file").write_text("")
    write = step(tmp_path / "file" / "x", "text")
    with pytest.raises(PortError, match="cannot"):
        write.apply()
