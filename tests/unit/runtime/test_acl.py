"""Access lists of a file: written, read back, and what is no list."""

import os
from pathlib import Path

import pytest

from inferagent.runtime.acl import ATTRIBUTE, give_to_group, groups


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.touch(0o600)
    return path


def test_a_group_that_was_given_is_read_back(file: Path) -> None:
    assert groups(file) == []
    give_to_group(file, 2)
    assert groups(file) == [2]
    give_to_group(file, 70_000)
    assert groups(file) == [70_000]


def test_the_mode_takes_it_back(file: Path) -> None:
    give_to_group(file, 2)
    file.chmod(0o600)
    assert file.stat().st_mode & 0o070 == 0


def test_a_file_that_is_not_there_has_no_list(file: Path) -> None:
    file.unlink()
    assert groups(file) == []
    with pytest.raises(FileNotFoundError):
        give_to_group(file, 2)


def test_what_the_kernel_keeps_is_the_list_of_five_entries(file: Path) -> None:
    give_to_group(file, 2)
    assert len(os.getxattr(file, ATTRIBUTE)) == 4 + 5 * 8
