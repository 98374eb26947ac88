"""The signed repositories: both signatures hold, and an altered index does not."""

import shutil
import subprocess

import pytest
from pack import keys, repositories
from pack.project import PackError

HAVE = all(shutil.which(tool) for tool in (*repositories.TOOLS, "dpkg-deb", "gpgv"))
needs_tools = pytest.mark.skipif(not HAVE, reason=f"not all of {', '.join(repositories.TOOLS)} are installed")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder with a package of nothing, and its repositories."""
    folder = tmp_path_factory.mktemp("packages")
    control = folder / "tree/DEBIAN/control"
    control.parent.mkdir(parents=True)
    control.write_text("Package: x\nVersion: 1\nArchitecture: amd64\nMaintainer: x <x@x>\nDescription: x\n")
    deb = folder / "x_1_amd64.deb"
    subprocess.run(["dpkg-deb", "--build", folder / "tree", deb], check=True, stdout=subprocess.DEVNULL)
    said = repositories.repositories(folder, None, folder / "scratch")
    assert "1 deb, 0 rpm, signed by a TEST key, made here: " in said
    return folder


def holds(packages, tmp_path, *files):
    ring = tmp_path / "ring.gpg"
    armoured = packages / "repo/inferagent.asc"
    subprocess.run(["gpg", "--batch", "--yes", "--dearmor", "--output", ring, armoured], check=True)
    done = subprocess.run(["gpgv", "--quiet", "--keyring", ring, *files], capture_output=True, check=False)
    return done.returncode == 0


@needs_tools
def test_apt_index_and_yum_index_are_signed(packages, tmp_path):
    suite, yum = packages / "repo/apt/dists/stable", packages / "repo/rpm/repodata"
    assert holds(packages, tmp_path, suite / "InRelease")
    assert holds(packages, tmp_path, suite / "Release.gpg", suite / "Release")
    assert holds(packages, tmp_path, yum / "repomd.xml.asc", yum / "repomd.xml")
    altered = tmp_path / "Release"
    altered.write_text((suite / "Release").read_text().replace("Origin: inferagent", "Origin: inferagenT"))
    assert not holds(packages, tmp_path, suite / "Release.gpg", altered)


@needs_tools
def test_each_architecture_has_its_own_index(packages):
    main = packages / "repo/apt/dists/stable/main"
    assert "Filename: pool/x_1_amd64.deb" in (main / "binary-amd64/Packages").read_text()
    assert (main / "binary-arm64/Packages").read_text() == ""
    release = (main.parent / "Release").read_text()
    assert "Architectures: amd64 arm64" in release
    assert "main/binary-amd64/Packages.gz" in release


@needs_tools
def test_the_test_key_is_kept_and_is_nobody_elses_to_read(packages):
    key = packages / "scratch/test-key.asc"
    assert key.stat().st_mode & 0o077 == 0
    with keys.signing(key, packages / "none") as given, keys.signing(None, key) as kept:
        assert given.fingerprint == kept.fingerprint
        assert given.home != kept.home
        said = repositories.repositories(packages, key, packages / "none")
        assert said.endswith(f"signed by {given.fingerprint}")
    assert not given.home.exists()


@needs_tools
def test_without_packages_there_is_no_repository(tmp_path):
    with pytest.raises(PackError, match="make deb rpm"):
        repositories.repositories(tmp_path, None, tmp_path)


def test_the_addresses_are_the_publishers_to_fill_in():
    for text in (repositories.APT, repositories.YUM):
        assert "{address}" in text
    assert "gpgcheck=1\nrepo_gpgcheck=1\n" in repositories.YUM
    assert "Signed-By: " in repositories.APT
