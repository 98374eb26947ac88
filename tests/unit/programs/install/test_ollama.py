"""Ollama from a loopback server of releases: verified, switched, gone back from, refused."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.install_host import InstallHost, packed, says
from tests.support.releases import Fault, Releases, serving

NAME = "ollama-linux-amd64.tgz"


@pytest.fixture
def releases() -> Iterator[Releases]:
    with serving(Releases()) as served:
        yield served


@pytest.fixture
def host(tmp_path: Path, releases: Releases) -> InstallHost:
    made = InstallHost(tmp_path / "host")
    made.sources(f'[ollama]\nreleases = "{releases.url}"\n')
    publish(releases, "0.13.0")
    return made


def publish(releases: Releases, version: str, name: str = NAME, content: bytes = b"") -> str:
    """The newest release from now on; the path of its archive."""
    folder = f"/download/v{version}"
    content = content or packed({"bin/ollama": says(version), "lib/ollama/libx.so": version.encode() * 5000})
    releases.files[f"{folder}/{name}"] = content
    sums = releases.files.get(f"{folder}/sha256sum.txt", b"")
    releases.files[f"{folder}/sha256sum.txt"] = (
        sums + f"{hashlib.sha256(content).hexdigest()}  ./{name}\n".encode()
    )
    releases.leads["/latest"] = f"/tag/v{version}"
    return f"{folder}/{name}"


def runs(host: InstallHost) -> str:
    """What the program says that this host finds by name."""
    path = host.host.links / "ollama"
    return subprocess.run([path], capture_output=True, text=True, check=True).stdout.split()[-1]


def test_the_newest_is_installed_and_found_by_name(host, releases):
    assert host.install("ollama") == 0, host.said
    assert runs(host) == "0.13.0"
    shelf = host.parts / "ollama"
    assert str((shelf / "current").readlink()) == "0.13.0"
    assert (shelf / "0.13.0" / "lib" / "ollama" / "libx.so").stat().st_mode & 0o777 == 0o755
    assert not (shelf / "downloads").exists()
    assert host.install("ollama") == 0
    assert host.said == "nothing to do: ollama 0.13.0 is in use"


def test_an_upgrade_keeps_the_version_before_and_goes_back(host, releases):
    for version in ("0.13.0", "0.14.0", "0.15.0"):
        publish(releases, version)
        assert host.install("ollama") == 0, host.said
    assert runs(host) == "0.15.0"
    assert {path.name for path in (host.parts / "ollama").iterdir() if path.is_dir()} >= {"0.14.0", "0.15.0"}
    assert not (host.parts / "ollama" / "0.13.0").exists()
    asked = len(releases.asked)
    assert host.install("ollama", rollback=True) == 0, host.said
    assert runs(host) == "0.14.0"
    assert host.install("ollama", rollback=True) == 0
    assert runs(host) == "0.15.0"
    assert len(releases.asked) == asked, "going back needs no network"


def test_a_strict_umask_of_roots_shell_shuts_nobody_out(host):
    before = os.umask(0o077)
    try:
        assert host.install("ollama") == 0
    finally:
        os.umask(before)
    path = host.parts / "ollama" / "0.13.0" / "lib" / "ollama" / "libx.so"
    folders = [folder for folder in path.parents if folder.is_relative_to(host.parts)]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o755}
    assert path.stat().st_mode & 0o044 == 0o044


def test_nothing_to_go_back_to(host):
    assert host.install("ollama", rollback=True) == 1
    assert "no version of ollama before" in host.said


def test_a_plan_changes_nothing(host):
    assert host.install("ollama", plan_only=True) == 0
    assert "1. fetch ollama-linux-amd64.tgz" in host.said
    assert not host.parts.exists()


def test_no_is_taken_for_an_answer(host):
    assert host.install("ollama", confirm=lambda: False) == 1
    assert host.words[-1] == "nothing was changed"
    assert not (host.parts / "ollama").exists()


def test_another_user_than_root_is_refused(host):
    host.uid = 1000
    assert host.install("ollama") == 1
    assert "only root may → sudo inferagent install ollama" in host.said


def test_an_architecture_without_releases(host):
    host.machine = "riscv64"
    assert host.install("ollama") == 1
    assert "there is none for riscv64" in host.said


def test_an_archive_that_is_missing_for_this_architecture(host):
    host.machine = "aarch64"
    assert host.install("ollama") == 1
    assert "names no ollama-linux-arm64" in host.said


def test_a_wrong_checksum_leaves_the_running_version_untouched(host, releases):
    assert host.install("ollama") == 0
    path = publish(releases, "0.14.0")
    releases.faults[path] = [Fault(other=b"x" * len(releases.files[path]))]
    assert host.install("ollama") == 1
    assert "its sha256 is" in host.said
    assert runs(host) == "0.13.0"
    assert host.install("ollama") == 0, "a second try fetches it anew"
    assert runs(host) == "0.14.0"


def test_a_program_that_says_another_version(host, releases):
    publish(releases, "0.14.0", content=packed({"bin/ollama": says("0.1.2")}))
    assert host.install("ollama") == 1
    assert "expected 0.14.0" in host.said
    assert not (host.parts / "ollama" / "current").exists()


def test_a_program_that_hangs(host, releases):
    publish(releases, "0.14.0", content=packed({"bin/ollama": b"#!/bin/sh\nexec /bin/sleep 60\n"}))
    host.sources(f'[ollama]\nreleases = "{releases.url}"\n', program="300ms")
    assert host.install("ollama") == 1
    assert "within 0.3 s" in host.said
    assert not (host.parts / "ollama" / "current").exists()


def test_no_room(host, releases):
    path = publish(releases, "0.14.0")
    releases.sizes[path] = 2**50
    assert host.install("ollama") == 1
    assert "make room on that disk: df -h" in host.said
    assert not (host.parts / "ollama").exists()


def test_zstd_is_taken_first_where_this_host_has_it(host, releases):
    content = packed({"bin/ollama": says("0.14.0")}, "")
    zst = subprocess.run(["zstd", "-qc"], input=content, capture_output=True, check=True).stdout
    publish(releases, "0.14.0")
    publish(releases, "0.14.0", "ollama-linux-amd64.tar.zst", zst)
    assert host.install("ollama", plan_only=True) == 0
    assert NAME in host.said, "without zstd the older kind"
    host.borrow("zstd")
    assert host.install("ollama") == 0, host.said
    assert "ollama-linux-amd64.tar.zst" in host.said
    assert runs(host) == "0.14.0"


def test_only_zstd_without_a_zstd(host, releases):
    publish(releases, "0.14.0", "ollama-linux-amd64.tar.zst", b"x")
    assert host.install("ollama") == 1
    assert "apt-get install zstd" in host.said


def test_more_archives_of_the_same_release(host, releases):
    publish(releases, "0.14.0")
    publish(releases, "0.14.0", "ollama-linux-amd64-rocm.tgz", packed({"lib/ollama/rocm/a.so": b"a"}))
    assert host.install("ollama", {"extras": ["rocm"]}) == 0, host.said
    assert (host.parts / "ollama" / "0.14.0" / "lib" / "ollama" / "rocm" / "a.so").read_bytes() == b"a"


def test_somebody_elses_ollama_stays(host):
    link = host.host.links / "ollama"
    link.parent.mkdir(parents=True)
    link.write_text("mine")
    assert host.install("ollama") == 0
    assert link.read_text() == "mine"
    assert f"{link} is another ollama and stays as it is" in host.said


def test_a_broken_download_goes_on_where_it_broke_even_in_the_next_run(host, releases):
    path = publish(
        releases, "0.14.0", content=packed({"bin/ollama": says("0.14.0"), "x": os.urandom(900_000)})
    )
    releases.faults[path] = [Fault(after=300_000), *[Fault(after=0)] * 3]
    assert host.install("ollama") == 1
    assert "run it again: it goes on from there" in host.said
    assert host.install("ollama") == 0, host.said
    assert releases.ranges_of(path)[0] == ""
    assert set(releases.ranges_of(path)[1:]) == {"bytes=300000-"}


def test_a_name_that_leads_nowhere(host):
    host.sources('[ollama]\nreleases = "http://127.0.0.1:9"\n')
    assert host.install("ollama") == 1
    assert "cannot reach 127.0.0.1" in host.said
    assert "HTTPS_PROXY" in host.said


def test_sources_that_nothing_proves_are_refused(host):
    host.sources('[ollama]\nreleases = "http://releases.example.com"\n')
    assert host.install("ollama") == 78
    assert "ollama.releases: must begin with https://" in host.said


def test_sources_that_others_may_change_are_refused(host):
    (host.config / "install.toml").chmod(0o666)
    assert host.install("ollama") == 1
    assert "others than root may change it" in host.said
