"""Which Python runs it: the newest whole one of the distribution, and nothing from outside reaches it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[2] / "packaging" / "root" / "usr/lib/inferagent/python"
ROOT = LAUNCHER.parents[3]


@pytest.fixture
def launcher(tmp_path):
    """The launcher on a disk of its own, which has a Python only where a test puts one."""
    path = tmp_path / "python"
    path.write_text(LAUNCHER.read_text().replace("/usr/", f"{tmp_path}/usr/"))
    path.chmod(0o755)
    (tmp_path / "usr/bin").mkdir(parents=True)
    return path


def install(disk, minor, *, whole=True, lib="lib"):
    program = disk / f"usr/bin/python3.{minor}"
    program.write_text('#!/bin/sh\necho "${0##*/} $*"\n')
    program.chmod(0o755)
    if whole:
        package = disk / f"usr/{lib}/python3.{minor}/asyncio"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()


def run(launcher, *words):
    return subprocess.run([launcher, *words], capture_output=True, text=True, check=False)


def test_the_newest_runs_cut_off_from_its_surroundings(launcher, tmp_path):
    for minor in (9, 11, 13, 12):
        install(tmp_path, minor)
    assert run(launcher, "-S", "x.py", "two words").stdout == "python3.13 -I -B -S x.py two words\n"


def test_one_that_no_wheel_serves_is_passed_over(launcher, tmp_path):
    for minor in (10, 12, 15):
        install(tmp_path, minor)
    assert run(launcher).stdout.startswith("python3.12 ")


def test_half_a_python_is_none(launcher, tmp_path):
    install(tmp_path, 14, whole=False)
    install(tmp_path, 11, lib="lib64")
    assert run(launcher).stdout.startswith("python3.11 ")


def test_without_a_python_it_says_what_to_install_and_is_not_started_again(launcher, tmp_path):
    install(tmp_path, 9)
    done = run(launcher, "x.py")
    assert done.returncode == 78
    assert "install python3" in done.stderr


def test_it_looks_for_the_pythons_that_the_wheels_serve():
    from pack.project import PYTHONS

    (listed,) = re.findall(r"for minor in (.*); do", LAUNCHER.read_text())
    assert sorted(f"3.{minor}" for minor in listed.split()) == sorted(PYTHONS)


@pytest.mark.parametrize("name", ["usr/bin/inferagent", "usr/lib/inferagent/program"])
def test_every_program_starts_through_it(name):
    assert (ROOT / name).read_text().startswith("#!/usr/lib/inferagent/python\n")
    assert (ROOT / name).stat().st_mode & 0o111


def test_the_kernel_takes_a_script_as_a_scripts_interpreter(tmp_path):
    """Two `#!` in a row, as the programs have them."""
    outer = tmp_path / "outer"
    outer.write_text(f'#!/bin/sh\nexec {sys.executable} -I -B "$@"\n')
    inner = tmp_path / "inner"
    inner.write_text(f"#!{outer}\nimport sys\nprint(sys.argv[1:], sys.flags.isolated)\n")
    for path in (outer, inner):
        path.chmod(0o755)
    assert subprocess.run([inner, "a b"], capture_output=True, text=True, check=True).stdout == "['a b'] 1\n"
