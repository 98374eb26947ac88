"""What apt is asked, and what of its answers is taken."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.install_host import InstallHost

from inferagent.ports import PortError
from inferagent.programs.install.apt import Apt


@pytest.fixture
def host(tmp_path: Path) -> InstallHost:
    return InstallHost(tmp_path / "host")


def apt(host: InstallHost) -> Apt:
    tools = host.tools()
    return Apt(host.host, tools.commands, tools.sources.cloudflared, host.folder / "packages", 5.0)


@pytest.mark.parametrize(
    ("said", "version"),
    [("installed 2026.8.2", "2026.8.2"), ("config-files 2026.8.2", ""), ("half-installed 1", ""), ("", "")],
)
def test_only_what_is_wholly_installed_counts(host, said, version):
    host.program("dpkg-query", f"printf %s '{said}'\n")
    assert apt(host).installed() == version


def test_no_dpkg_at_all(host):
    with pytest.raises(PortError, match="cannot start dpkg-query"):
        apt(host).installed()


def test_an_epoch_is_spelt_otherwise_on_disk(host):
    host.program("apt-get")
    folder = host.folder / "packages"
    folder.mkdir()
    (folder / "cloudflared_1%3a2.0_amd64.deb").write_text("")
    apt(host).install("1:2.0")
    assert host.calls("apt-get")[0][-1] == str(folder / "cloudflared_1%3a2.0_amd64.deb")


def test_a_repository_in_a_comment_is_not_known(host):
    path = host.host.at("/etc/apt/sources.list.d/x.list")
    path.parent.mkdir(parents=True)
    path.write_text("# deb https://pkg.cloudflare.com/cloudflared any main\n")
    assert apt(host).known() is None
    path.write_text("deb https://pkg.cloudflare.com/cloudflared any main\n")
    assert apt(host).known() == path


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt here")
def test_apt_itself_understands_each_option(tmp_path):
    """The real one, on nothing: an unknown word would end it with 100."""
    options = ("Dir::Etc::sourceparts=-", "APT::Get::List-Cleanup=0", "APT::Update::Error-Mode=any")
    words = [word for option in options for word in ("-o", option)]
    argv = ["apt-get", *words, "-o", f"Dir={tmp_path}", "-o", "Debug::NoLocking=1", "--print-uris", "update"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_no_service_is_restarted_for_it(host):
    """Where needrestart is at home, it would restart others."""
    host.program("apt-get", 'echo "$NEEDRESTART_SUSPEND" > "$here/said"\n')
    apt(host).install("1.0")
    assert (host.bin / "said").read_text() == "1\n"
