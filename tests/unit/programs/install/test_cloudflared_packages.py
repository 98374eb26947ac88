"""cloudflared from a package repository, with an apt-get and a dnf that only write down their calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.install_host import InstallHost
from tests.support.releases import Fault, Releases, serving

from inferagent.programs.install.keys import fingerprints

KEY = b"\x99\x00\x09\x04" + b"k" * 8  # a primary key as far as its fingerprint goes
STRANGE = b"\x99\x00\x09\x04" + b"s" * 8
(ONE,) = fingerprints(KEY)

APT = """
if [ "$1" = update ] && [ -e "$here/refused" ]; then echo 'E: The repository is not signed.' >&2; exit 100; fi
case "$*" in
  *--download-only*) ;;
  install*)
    name="${last##*/cloudflared_}"; name="${name#cloudflared=}"
    echo "${name%%_*}" > "$here/installed" ;;
esac
"""
POLICY = """
read newest < "$here/newest"
printf 'cloudflared:\\n  Installed: x\\n  Candidate: %s\\n' "$newest"
"""
QUERY = """
[ -e "$here/installed" ] || exit 1
read version < "$here/installed"
echo "installed $version"
"""
HANGS = "exec /bin/sleep 60\n"


@pytest.fixture
def releases() -> Iterator[Releases]:
    with serving(Releases({"/key.gpg": KEY})) as served:
        yield served


@pytest.fixture
def host(tmp_path: Path, releases: Releases) -> InstallHost:
    made = InstallHost(tmp_path / "host")
    made.sources(
        f'[cloudflared]\nkey = "{releases.url}/key.gpg"\nrepository = "{releases.url}/cloudflared"\n'
        f'fingerprints = ["{ONE}"]\n'
    )
    return made


@pytest.fixture
def apt(host: InstallHost) -> InstallHost:
    host.program("apt-get", APT)
    host.program("apt-cache", POLICY)
    host.program("dpkg-query", QUERY)
    newest(host, "2026.8.2")
    return host


def newest(host: InstallHost, version: str) -> None:
    (host.bin / "newest").write_text(f"{version}\n")


def installed(host: InstallHost) -> str:
    return (host.bin / "installed").read_text().strip()


def test_apt_gets_a_keyring_and_a_source_for_this_repository_alone(apt, releases):
    assert apt.install("cloudflared") == 0, apt.said
    keyring = apt.host.at("/usr/share/keyrings/inferagent-cloudflared.gpg")
    source = apt.host.at("/etc/apt/sources.list.d/inferagent-cloudflared.sources")
    assert keyring.read_bytes() == KEY
    assert source.read_text().splitlines() == [
        "Types: deb",
        f"URIs: {releases.url}/cloudflared",
        "Suites: any",
        "Components: main",
        f"Signed-By: {keyring}",
    ]
    assert {path.stat().st_mode & 0o777 for path in (keyring, source)} == {0o644}
    assert installed(apt) == "2026.8.2"


def test_apt_asks_one_repository_strictly_and_fetches_before_it_installs(apt):
    apt.install("cloudflared")
    update, fetch, install = apt.calls("apt-get")
    assert "APT::Update::Error-Mode=any" in update
    assert "Dir::Etc::sourceparts=-" in update
    assert "--download-only" in fetch
    assert "--download-only" not in install
    assert install[-1] == fetch[-1] == "cloudflared=2026.8.2"


def test_an_upgrade_and_back_with_the_package_that_was_kept(apt):
    apt.install("cloudflared")
    kept = apt.parts / "cloudflared" / "packages" / "cloudflared_2026.8.2_amd64.deb"
    kept.write_text("")
    assert apt.install("cloudflared") == 0
    assert apt.said.endswith("nothing to do: cloudflared 2026.8.2 is in use")
    newest(apt, "2026.9.0")
    assert apt.install("cloudflared") == 0, apt.said
    assert "write down 2026.8.2 for --rollback" in apt.said
    assert installed(apt) == "2026.9.0"
    assert apt.install("cloudflared", rollback=True) == 0, apt.said
    assert installed(apt) == "2026.8.2"
    assert apt.calls("apt-get")[-1][-2:] == ["--allow-downgrades", str(kept)]
    assert apt.install("cloudflared", rollback=True) == 0, "and forth again"
    assert installed(apt) == "2026.9.0"


def test_nothing_to_go_back_to(apt):
    apt.install("cloudflared")
    assert apt.install("cloudflared", rollback=True) == 1
    assert "no version of cloudflared before" in apt.said


def test_a_key_with_another_fingerprint_is_written_nowhere(apt, releases):
    releases.files["/key.gpg"] = KEY + STRANGE
    assert apt.install("cloudflared") == 1
    assert "look the new one up at a second place" in apt.said
    assert not apt.host.at("/usr/share/keyrings").exists()
    assert not apt.host.at("/etc/apt").exists()
    assert apt.calls("apt-get") == []


def test_a_repository_that_apt_refuses_is_forgotten(apt):
    (apt.bin / "refused").write_text("")
    assert apt.install("cloudflared") == 1
    assert "The repository is not signed" in apt.said
    assert list(apt.host.at("/etc/apt/sources.list.d").iterdir()) == []
    assert not (apt.bin / "installed").exists()


def test_a_key_server_that_is_silent(apt, releases):
    text = (apt.config / "install.toml").read_text().partition("[cloudflared]")[2]
    apt.sources(f"[cloudflared]{text}", silence="300ms")
    releases.faults["/key.gpg"] = [Fault(after=3, silent=True)]
    assert apt.install("cloudflared") == 1
    assert "fell silent" in apt.said


def test_somebody_elses_source_of_the_same_repository_is_used(apt, releases):
    mine = apt.host.at("/etc/apt/sources.list.d/cloudflared.list")
    mine.parent.mkdir(parents=True)
    mine.write_text(f"deb [signed-by=/x] {releases.url}/cloudflared any main\n")
    assert apt.install("cloudflared") == 0, apt.said
    assert f"as {mine} names it" in apt.said
    assert [path.name for path in mine.parent.iterdir()] == ["cloudflared.list"]
    assert f"Dir::Etc::sourcelist={mine}" in apt.calls("apt-get")[0]
    assert releases.asked == []


@pytest.mark.parametrize("hangs", ["apt-get", "apt-cache", "dpkg-query"])
def test_a_package_manager_that_hangs(apt, releases, hangs):
    text = (apt.config / "install.toml").read_text().partition("[cloudflared]")[2]
    apt.sources(f"[cloudflared]{text}", packages="300ms", program="300ms")
    apt.program(hangs, HANGS)
    assert apt.install("cloudflared") == 1
    assert f"cannot finish {hangs}" in apt.said
    assert "within 0.3 s" in apt.said


def test_neither_apt_nor_dnf(host):
    assert host.install("cloudflared") == 1
    assert "neither apt-get nor dnf is here → take the release instead" in host.said


def test_a_package_that_is_not_there(apt):
    newest(apt, "(none)")
    assert apt.install("cloudflared") == 1
    assert "cannot find cloudflared in" in apt.said


DNF = """
case "$*" in
  *repoquery*) read newest < "$here/newest"; echo "$newest" ;;
  *makecache*) if [ -e "$here/hangs" ]; then exec /bin/sleep 60; fi ;;
  *--downloadonly*) ;;
  *) [ -e "$here/installed" ] && read there < "$here/installed"
     case "$*" in *downgrade*) there=0 ;; esac
     new="${last#cloudflared-}"
     if [ "${there:-0}" \\< "$new" ]; then echo "$new" > "$here/installed"; fi ;;
esac
"""
RPM = """
[ -e "$here/installed" ] || exit 1
read version < "$here/installed"
printf %s "$version"
"""


@pytest.fixture
def dnf(host: InstallHost) -> InstallHost:
    host.program("dnf", DNF)
    host.program("rpm", RPM)
    newest(host, "2026.8.2-1")
    return host


def test_dnf_checks_packages_and_index_with_the_key_on_disk(dnf, releases):
    assert dnf.install("cloudflared") == 0, dnf.said
    key = dnf.host.at("/etc/pki/rpm-gpg/RPM-GPG-KEY-inferagent-cloudflared")
    assert key.read_bytes().startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n")
    repository = dnf.host.at("/etc/yum.repos.d/inferagent-cloudflared.repo").read_text().splitlines()
    assert repository[0] == "[inferagent-cloudflared]"
    assert {"gpgcheck=1", "repo_gpgcheck=1", f"gpgkey=file://{key}"} <= set(repository)
    assert f"baseurl={releases.url}/cloudflared/rpm" in repository
    assert installed(dnf) == "2026.8.2-1"
    assert [call[-2] for call in dnf.calls("dnf")[-2:]] == ["--downloadonly", "install"]


def test_dnf_goes_back_to_the_version_before(dnf):
    dnf.install("cloudflared")
    newest(dnf, "2026.9.0-1")
    assert dnf.install("cloudflared") == 0, dnf.said
    assert dnf.install("cloudflared", rollback=True) == 0, dnf.said
    assert installed(dnf) == "2026.8.2-1"
    assert dnf.calls("dnf")[-1][-2:] == ["downgrade", "cloudflared-2026.8.2-1"]


def test_a_dnf_that_hangs(dnf):
    text = (dnf.config / "install.toml").read_text().partition("[cloudflared]")[2]
    dnf.sources(f"[cloudflared]{text}", packages="300ms")
    (dnf.bin / "hangs").write_text("")
    assert dnf.install("cloudflared") == 1
    assert "within 0.3 s" in dnf.said
    assert list(dnf.host.at("/etc/yum.repos.d").iterdir()) == []
