import stat
import subprocess
import sys

import pytest

from inferagent.config.present import mode_of

AS_NOBODY = """
import os, sys
from pathlib import Path
from inferagent.config.present import mode_of
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    print(mode_of(Path(sys.argv[1])))
except PermissionError:
    print("denied")
"""


def test_what_is_there_and_what_is_not(tmp_path):
    (tmp_path / "file").touch(mode=0o640)
    assert stat.S_ISREG(mode_of(tmp_path / "file"))
    assert stat.S_ISDIR(mode_of(tmp_path))
    assert mode_of(tmp_path / "nothing") == 0
    assert mode_of(tmp_path / "file" / "below") == 0


def test_a_link_to_itself_is_no_answer(tmp_path):
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(OSError, match="symbolic links"):
        mode_of(tmp_path / "link")


def test_nor_is_a_folder_that_may_not_be_entered(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "file").touch()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o011 != 0o011:
            folder.chmod(folder.stat().st_mode | 0o011)
    closed.chmod(0)
    said = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(closed / "file")], capture_output=True, text=True
    )
    closed.chmod(0o700)
    assert said.stdout == "denied\n", said.stderr
