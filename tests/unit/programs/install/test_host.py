"""The host, and its architecture as releases name it."""

from pathlib import Path

import pytest

from inferagent.programs.install.host import Host


@pytest.mark.parametrize(
    ("machine", "named"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("arm64", "arm64"), ("riscv64", "")]
)
def test_architectures(machine, named):
    assert Host(machine=machine).architecture == named


def test_paths_lie_below_its_root(tmp_path):
    assert Host(tmp_path).at("/etc/x") == tmp_path / "etc" / "x"
    assert Host().parts == Path("/opt/inferagent")
    assert Host().links == Path("/usr/local/bin")


def test_programs_are_looked_for_in_its_path(tmp_path):
    (tmp_path / "x").write_text("#!/bin/sh\n")
    (tmp_path / "x").chmod(0o755)
    assert Host(path=str(tmp_path)).program("x") == str(tmp_path / "x")
    assert Host(path=str(tmp_path)).program("sh") is None
