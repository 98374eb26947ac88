"""The package on a booted host that reaches the signed repository and nothing else.

How long until the daemon answers; what an upgrade touches; what is left; and that altered things are refused.
"""

import json
import os
import time
from pathlib import Path

from tests.hosts.host import Host, until
from tests.hosts.lab import host_lab
from tests.hosts.store import Store, served, spoil, subscribe
from tests.hosts.suite import full, say

BAR = 5.0  # seconds from `apt install` to the daemon's first answer
AGENT, SOCKET, READY = "inferagent.service", "inferagent-ready.socket", "inferagent-ready.service"
PARTS = ("inferagent-engine.service", "inferagent-connector.service")
INSTALL = ("apt-get", "install", "--yes", "--quiet", "inferagent")
MINE = ("/etc/inferagent/credentials/notify-webhook", "/var/lib/inferagent/mine")
# Some of what rich and others could import is not shipped: nothing of the agent may need it.
IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path.insert(0, "/usr/lib/inferagent/lib")
import inferagent
for module in pkgutil.walk_packages(inferagent.__path__, "inferagent."):
    importlib.import_module(module.name)
print(len(sys.modules))
"""
# What apt, dpkg, systemd and the journal write for themselves.
THEIRS = (
    "/var/log",
    "/var/cache",
    "/var/lib/apt",
    "/var/lib/dpkg",
    "/var/lib/systemd",
    "/etc/systemd/system.control",
)
BACKUPS = ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock", "/etc/subuid-")


def suite() -> None:
    with host_lab(bare=True) as lab:
        store = Store(lab.folder / "store")
        store.folder.mkdir()
        store.build()
        lab.switch.enter()
        with served(store.repo):
            host = lab.boot()
            before = left(host)
            subscribe(host, store)
            known = left(host) - before
            prompt(host)
            quiet(host)
            stays(host)
            refused(host, store)
            upgrades(host, store)
            host.run("apt-get", "purge", "--yes", "inferagent")
            extra = left(host) - before - known
            assert not extra, f"left behind: {sorted(extra)}"
            say("purge: no file, user, group or enabled unit is left")


def prompt(host: Host) -> None:
    """The daemon of a fresh package answers within the bar."""
    times = [fresh(host) for _ in range(20 if full() else 3)]
    bar, on = (BAR, "") if free() else (4 * BAR, f", as this machine is busy; else {BAR:g} s")
    said = ", ".join(f"{each:.1f}" for each in times)
    say(f"apt install → unconfigured: {said} s, the fastest within {bar:g} s{on}")
    assert min(times) <= bar, times


def free() -> bool:
    """Whether this machine has a core to spare, so that seconds mean what they say."""
    return os.getloadavg()[0] < (os.cpu_count() or 1)


def fresh(host: Host) -> float:
    """Seconds from the start of apt to the daemon's answer, on a host without the package."""
    host.run("apt-get", "purge", "--yes", "inferagent")
    begun = time.monotonic()
    apt = host.start(*INSTALL, stdout=-3, stderr=-3, stdin=-3)
    try:
        until(lambda: answer(host).get("label") == "unconfigured", "the daemon answers", 60.0)
        took = time.monotonic() - begun
    finally:
        assert apt.wait(60.0) == 0, "apt-get install failed"
    said = host.try_run("inferagent", "status").stdout
    assert "sudo inferagent setup" in said, said
    return took


def answer(host: Host) -> dict[str, str]:
    if not host.path("/run/inferagent/control.sock").exists():
        return {}
    done = host.try_run("inferagent", "status", "--json")
    return json.loads(done.stdout) if done.stdout.startswith("{") else {}


def quiet(host: Host) -> None:
    """A fresh package is enabled, runs without privilege, and says little."""
    for unit in (AGENT, SOCKET):
        assert host.run("systemctl", "is-enabled", unit).strip() == "enabled"
        assert host.run("systemctl", "is-active", unit).strip() == "active"
    assert host.run("systemctl", "list-units", "--failed", "--no-legend", "inferagent*") == ""
    lines = host.run("journalctl", "--no-pager", "-o", "cat", f"--unit={AGENT}", "--priority=warning")
    assert "inferagent" not in lines.replace(AGENT, ""), lines
    name = host.path(f"/proc/{host.main_pid(AGENT)}/comm").read_text().strip()
    assert name == "inferagent", name
    host.run("/usr/lib/inferagent/python", "-c", IMPORT_ALL)
    for path in ("/usr/share/man/man1/inferagent.1.gz", "/usr/share/inferagent/sbom.cdx.json"):
        assert host.path(path).is_file(), path


def stays(host: Host) -> None:
    """What a person wrote outlives removal; the program does not, and comes back."""
    for path in MINE:
        host.write(path, "mine\n")
    host.run("apt-get", "remove", "--yes", "inferagent")
    running = host.run("systemctl", "list-units", "--no-legend", "--plain", "inferagent*")
    assert running == "", f"still there after the removal: {running}"
    assert not host.path("/usr/lib/inferagent").exists()
    host.run(*INSTALL)
    until(lambda: answer(host).get("label") == "unconfigured", "the daemon answers again")
    for path in MINE:
        assert host.path(path).read_text() == "mine\n"
    say("removed and installed again: configuration and state stayed")


def refused(host: Host, store: Store) -> None:
    """Altered index and altered package; what runs goes on."""
    pid = host.main_pid(AGENT)
    store.release("0.1.0-2", lambda _tree: None)
    heal = spoil(store.repo / "apt/dists/stable/InRelease")
    said = host.try_run("apt-get", "-o", "APT::Update::Error-Mode=any", "update")
    assert said.returncode != 0, said.stdout
    heal()
    host.run("apt-get", "update")
    heal = spoil(store.repo / "apt/pool" / store.deb.name)
    said = host.try_run(*INSTALL)
    assert said.returncode != 0, said.stdout
    heal()
    assert host.main_pid(AGENT) == pid
    assert host.run("dpkg-query", "-W", "-f=${Status} ${Version}", "inferagent").endswith("0.1.0-1")
    say("an altered InRelease and an altered package were refused; the agent ran on")


def upgrades(host: Host, store: Store) -> None:
    """The agent alone is restarted, the ready program only when it changed; a crashing release, too."""
    for unit in PARTS:
        host.write(
            f"/etc/systemd/system/{unit}.d/lab.conf", "[Service]\nExecStart=\nExecStart=/bin/sleep 1000\n"
        )
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", *PARTS, READY)
    host.run("systemctl", "enable", "--quiet", *PARTS)
    before, agent = untouched(host), host.main_pid(AGENT)
    host.run(*INSTALL)
    assert untouched(host) == before, "an upgrade touched another unit"
    assert host.main_pid(AGENT) not in (0, agent), "the upgraded agent was not restarted"
    ready = before.pop(READY)
    store.release("0.1.0-3", change_ready)
    upgrade(host)
    now = untouched(host)
    assert now.pop(READY) != ready, "a changed ready program was not restarted"
    assert now == before
    store.release("0.1.0-4", crash)
    upgrade(host)
    assert host.show(AGENT, "ActiveState")["ActiveState"] != "active"
    upgrade(host, "inferagent=0.1.0-1", "--allow-downgrades")
    until(lambda: answer(host).get("label") == "unconfigured", "the downgraded daemon answers")
    now = untouched(host)
    now.pop(READY)
    assert now == before, "an upgrade touched another unit"
    say("upgrade, changed ready program, crashing release, downgrade: engine, connector and socket untouched")


def upgrade(host: Host, *words: str) -> None:
    host.run("apt-get", "update")
    host.run(*INSTALL[:-1], *(words or ("inferagent",)))


def untouched(host: Host) -> dict[str, str]:
    """Each unit that an upgrade must leave alone → its present life."""
    return {unit: host.show(unit, "InvocationID")["InvocationID"] for unit in (*PARTS, SOCKET, READY)}


def change_ready(tree: Path) -> None:
    with (tree / "usr/lib/inferagent/lib/inferagent/programs/ready.py").open("a") as file:
        file.write("# another release\n")


def crash(tree: Path) -> None:
    (tree / "usr/lib/inferagent/lib/inferagent/programs/daemon.py").write_text("raise SystemExit(1)\n")


def left(host: Host) -> set[str]:
    """Every file, user, group and enabled unit, but for what others write."""
    pruned = [word for path in THEIRS for word in ("-path", path, "-prune", "-o")]
    found = host.run(
        "find", "/etc", "/usr", "/var", "/opt", "/root", "/home", "/run/systemd/system", *pruned, "-print"
    )
    files = set(found.splitlines()) - set(BACKUPS)
    people = host.run("getent", "passwd") + host.run("getent", "group")
    ours = {
        line for line in people.splitlines() if not line.startswith("render:")
    }  # a group of systemd's own
    return files | ours | set(stray(host))


def stray(host: Host) -> list[str]:
    """What bears our name among the things of others."""
    found = host.run("find", "/var/lib/systemd", "/run", "-xdev", "-name", "*inferagent*")
    return found.splitlines()
