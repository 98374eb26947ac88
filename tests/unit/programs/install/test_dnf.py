"""What dnf is asked, and what of its answers is taken."""

from pathlib import Path

import pytest
from tests.support.install_host import InstallHost

from inferagent.ports import PortError
from inferagent.programs.install.dnf import Dnf


@pytest.fixture
def host(tmp_path: Path) -> InstallHost:
    return InstallHost(tmp_path / "host")


def dnf(host: InstallHost, **source: object) -> Dnf:
    tools = host.tools({"cloudflared": source})
    return Dnf(host.host, tools.commands, tools.sources.cloudflared, 5.0)


def test_a_version_that_the_repository_no_longer_has(host):
    host.program("dnf")
    host.program("rpm", "printf 2.0-1\n")
    with pytest.raises(PortError, match=r"cannot install cloudflared 1\.0-1: dnf leaves 2\.0-1"):
        dnf(host).install("1.0-1")


def test_a_package_that_is_not_there(host):
    host.program("dnf")
    with pytest.raises(PortError, match="is there one for this system"):
        dnf(host).newest()


def test_an_index_that_is_not_signed_has_to_be_said(host):
    dnf(host, index_signed=False).add(b"key")
    text = host.host.at("/etc/yum.repos.d/inferagent-cloudflared.repo").read_text()
    assert "gpgcheck=1\nrepo_gpgcheck=0\n" in text


def test_somebody_elses_repository_is_asked_under_its_own_name(host):
    path = host.host.at("/etc/yum.repos.d/cloudflared.repo")
    path.parent.mkdir(parents=True)
    path.write_text("baseurl=https://pkg.cloudflare.com/cloudflared/rpm\n")
    host.program("dnf")
    dnf(host).refresh()
    assert host.calls("dnf") == [["dnf", "--assumeyes", "--refresh", "makecache"]]
