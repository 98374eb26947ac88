"""Versions side by side: complete or not there, one rename to switch, two kept."""

import shutil
import subprocess
from pathlib import Path

import pytest

from inferagent.ports import PortError
from inferagent.programs.install.shelf import Shelf, link_program


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "part", lambda: None)


def put(shelf: Shelf, version: str) -> None:
    (shelf.place(version) / "x").write_text(version)
    shelf.complete(version)


def test_what_is_not_complete_is_not_there(shelf):
    place = shelf.place("1")
    (place / "half").write_text("")
    assert not shelf.has("1")
    with pytest.raises(PortError, match="it is not complete"):
        shelf.switch("1")
    assert list(shelf.place("1").iterdir()) == [], "the next try begins anew"


def test_a_switch_keeps_the_version_before(shelf):
    assert (shelf.current, shelf.before) == ("", "")
    for version in ("1", "2", "3"):
        put(shelf, version)
        shelf.switch(version)
    assert (shelf.current, shelf.before) == ("3", "2")
    assert shelf.prune() == ["1"]
    shelf.switch(shelf.before)
    assert (shelf.current, shelf.before) == ("2", "3")
    assert (shelf.folder / "current" / "x").read_text() == "2"


def test_a_version_that_still_runs_is_not_pruned(shelf):
    """Nobody has restarted it since: its files are opened as it goes."""
    for version in ("1", "2", "3"):
        put(shelf, version)
        shelf.switch(version)
    program = shelf.folder / "1" / "cat"
    shutil.copy2(shutil.which("cat"), program)
    with subprocess.Popen([program], stdin=subprocess.PIPE):
        assert shelf.prune() == []
    assert shelf.prune() == ["1"]


def test_a_crash_between_the_two_links_loses_nothing(shelf):
    for version in ("1", "2"):
        put(shelf, version)
    shelf.switch("1")
    (shelf.folder / "before").symlink_to("1")
    assert shelf.before == "", "there is nothing to go back to yet"
    shelf.switch("2")
    assert (shelf.current, shelf.before) == ("2", "1")


def test_a_version_before_that_somebody_removed(shelf):
    for version in ("1", "2"):
        put(shelf, version)
        shelf.switch(version)
    (shelf.folder / "1" / ".complete").unlink()
    assert shelf.before == ""


@pytest.mark.parametrize("version", ["", "..", "../x", "current", "before", "downloads", "a/b", ".x", "a b"])
def test_what_is_no_version(shelf, version):
    with pytest.raises(PortError, match="that is no version"):
        shelf.place(version)


def test_a_disk_that_does_not_take_it(shelf):
    shelf.folder.write_text("in the way")
    with pytest.raises(PortError, match="cannot make"):
        shelf.place("1")


def test_a_program_is_found_by_name_unless_another_one_is(tmp_path):
    links, target = tmp_path / "bin", tmp_path / "part" / "current" / "bin" / "x"
    assert link_program(links, "x", target) == ""
    assert link_program(links, "x", target) == "", "once is enough"
    assert str((links / "x").readlink()) == str(target)
    (links / "y").symlink_to("/somewhere/else")
    assert "is another y and stays" in link_program(links, "y", target)
