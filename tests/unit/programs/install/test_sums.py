"""Lists of checksums, and files that are not what they should be."""

import hashlib

import pytest

from inferagent.ports import PortError
from inferagent.programs.install.sums import check_sum, listed

A, B = "a" * 64, "b" * 64


def test_a_list_as_sha256sum_writes_it():
    text = f"{A}  ./x.tgz\n{B.upper()} *y.tgz\n{A}  dir/z\nodd line\n{A}  z.tgz extra\n\n{B}  n.tgz\r\n"
    assert listed(text) == {"x.tgz": A, "y.tgz": B, "n.tgz": B}


def test_a_name_with_two_sums_has_none():
    assert listed(f"{A}  x\n{B}  ./x\n{A}  y\n{A}  y\n") == {"y": A}


def test_a_wrong_file_is_removed(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"x")
    check_sum(path, hashlib.sha256(b"x").hexdigest().upper(), "u")
    with pytest.raises(PortError, match=f"cannot trust u: its sha256 is [0-9a-f]{{64}}, expected {A}"):
        check_sum(path, A, "u")
    assert not path.exists()
