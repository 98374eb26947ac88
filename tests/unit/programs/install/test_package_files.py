"""Files of a repository: written for all to read, taken back to what was there."""

import pytest

from inferagent.ports import PortError
from inferagent.programs.install.package_files import RepositoryFiles


def test_what_was_there_comes_back(tmp_path):
    files, old, new = RepositoryFiles(), tmp_path / "old", tmp_path / "below" / "new"
    old.write_bytes(b"before")
    for path in (old, new):
        files.write(path, b"first")
        files.write(path, b"second")
        assert path.read_bytes() == b"second"
        assert path.stat().st_mode & 0o777 == 0o644
    files.take_back()
    assert old.read_bytes() == b"before"
    assert not new.exists()


def test_what_is_there_already_is_not_written(tmp_path):
    path, files = tmp_path / "x", RepositoryFiles()
    path.write_bytes(b"same")
    before = path.stat().st_ino
    files.write(path, b"same")
    assert path.stat().st_ino == before
    assert files.written == {}


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(PortError, match="cannot write"):
        RepositoryFiles().write(tmp_path / "x" / "y", b"")
