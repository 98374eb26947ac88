import os

import pytest

from inferagent.config.trust import mistrust


def test_what_is_ones_own_or_not_there_is_trusted(tmp_path):
    assert mistrust(tmp_path) == ""
    assert mistrust(tmp_path / "nowhere") == ""


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_what_others_may_write_is_not(tmp_path, mode):
    file = tmp_path / "x"
    file.write_text("")
    file.chmod(mode)
    assert mistrust(file).endswith(f"→ sudo chown root {file} && sudo chmod go-w {file}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_owns_is_not(tmp_path):
    os.chown(tmp_path, 65534, -1)
    assert mistrust(tmp_path).startswith(f"cannot trust {tmp_path}: others than root")
