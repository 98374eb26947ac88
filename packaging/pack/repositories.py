"""Signed repositories of the packages that were built: apt and yum, side by side in one folder."""

import gzip
import shutil
from pathlib import Path

from pack.keys import Key, signing
from pack.project import ARCHITECTURES, PackError, need, run

# What builds them → the package of Debian that has it.
TOOLS = {
    "gpg": "gnupg",
    "apt-ftparchive": "apt-utils",
    "createrepo_c": "createrepo-c",
    "rpmsign": "rpm",
}
SUITE = "stable"
ADDRESS = "https://packages.example.com"  # whoever publishes puts a real one there
APT = """\
# As /etc/apt/sources.list.d/inferagent.sources; the key as /usr/share/keyrings/inferagent.asc.
Types: deb
URIs: {address}/apt
Suites: stable
Components: main
Signed-By: /usr/share/keyrings/inferagent.asc
"""
YUM = """\
# As /etc/yum.repos.d/inferagent.repo.
[inferagent]
name=inferagent
baseurl={address}/rpm
gpgkey={address}/inferagent.asc
gpgcheck=1
repo_gpgcheck=1
enabled=1
"""


def repositories(packages: Path, secret: Path | None, scratch: Path, address: str = ADDRESS) -> str:
    """Made anew in `packages`/repo, from the packages beside it. What it returns says where."""
    need(TOOLS)
    debs, rpms = sorted(packages.glob("*.deb")), sorted(packages.glob("*.rpm"))
    if not debs and not rpms:
        raise PackError(f"cannot make a repository without packages in {packages}: make deb rpm")
    top = packages / "repo"
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir()
    whose = "" if secret else "a TEST key, made here: "
    with signing(secret, scratch / "test-key.asc") as key:
        (top / "inferagent.asc").write_text(key.public())
        _apt(debs, top / "apt", key)
        _yum(rpms, top / "rpm", key)
        (top / "inferagent.sources").write_text(APT.format(address=address))
        (top / "inferagent.repo").write_text(YUM.format(address=address))
        return f"{top}: {len(debs)} deb, {len(rpms)} rpm, signed by {whose}{key.fingerprint}"


def _apt(debs: list[Path], top: Path, key: Key) -> None:
    pool = top / "pool"
    pool.mkdir(parents=True)
    for deb in debs:
        shutil.copy2(deb, pool)
    suite = top / "dists" / SUITE
    for architecture in ARCHITECTURES.values():
        listed = run("apt-ftparchive", "--arch", architecture, "packages", "pool", cwd=top)
        folder = suite / "main" / f"binary-{architecture}"
        folder.mkdir(parents=True)
        (folder / "Packages").write_text(listed)
        (folder / "Packages.gz").write_bytes(gzip.compress(listed.encode(), mtime=0))
    told = {
        "Origin": "inferagent",
        "Label": "inferagent",
        "Suite": SUITE,
        "Codename": SUITE,
        "Architectures": " ".join(ARCHITECTURES.values()),
        "Components": "main",
    }
    options = [
        word for name, value in told.items() for word in ("-o", f"APT::FTPArchive::Release::{name}={value}")
    ]
    release = run("apt-ftparchive", *options, "release", str(suite))
    (suite / "Release").write_text(release)
    key.sign_within(suite / "Release", suite / "InRelease")
    key.sign(suite / "Release", suite / "Release.gpg")


def _yum(rpms: list[Path], top: Path, key: Key) -> None:
    top.mkdir()
    for rpm in rpms:
        shutil.copy2(rpm, top)
    which = {"_gpg_name": key.fingerprint, "_gpg_path": str(key.home), "__gpg": str(shutil.which("gpg"))}
    defined = [word for name, value in which.items() for word in ("--define", f"{name} {value}")]
    if rpms:
        run("rpmsign", *defined, "--addsign", *(str(top / rpm.name) for rpm in rpms))
    run("createrepo_c", "--quiet", "--simple-md-filenames", str(top))
    key.sign(top / "repodata/repomd.xml", top / "repodata/repomd.xml.asc")
