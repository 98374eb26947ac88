"""The package on a host of a named Debian, whose Python and systemd are not those that the tests run with."""

import re

from tests.hosts.host import Host, pause
from tests.hosts.lab import host_lab
from tests.hosts.stage import AGENT, Stage, stage
from tests.hosts.store import Store, served, subscribe
from tests.hosts.suite import say
from tests.hosts.suite_files import judged
from tests.hosts.suite_packages import INSTALL, MINE, left, prompt, quiet, stays
from tests.hosts.users import Users

USER = "inferagent"
RATE, SERVES = 8.0, 6.0  # requests a second, and for how many seconds
CODE = "/usr/lib/inferagent/lib/inferagent/__pycache__"
# Where this machine's controllers are of version 1, a host with version 2 has none.
UNCONTROLLED = r"Failed to read \S+ for control group"
# What a person may try before setup.
FIRST = (("config", "check"), ("doctor",), ("status",), ("--version",))


def installed(debian: str, python: str) -> None:
    """`python`: as 3.13, the one of this Debian."""
    with stage(bare=True, debian=debian) as scene:
        store = Store(scene.lab.folder / "store")
        store.folder.mkdir()
        store.build()
        with served(store.repo):
            host = scene.boot()
            before = left(host)
            subscribe(host, store)
            known = left(host) - before
            say(f"{debian} with systemd {host.run('systemctl', '--version').split()[1]}")
            prompt(host)
            quiet(host)
            _apart(host, python)
            judged(host)
            _tried(host)
            stays(host)
            for path in MINE:
                host.path(path).unlink()
            _serves(scene, host)
            host.run("apt-get", "purge", "--yes", "inferagent")
            extra = left(host) - before - known
            assert not extra, f"left behind: {sorted(extra)}"
            say("purged while it served: no file, user, group or enabled unit is left")


def _apart(host: Host, python: str) -> None:
    """With a user of its own, the distribution's own Python, and its byte code."""
    pid = host.main_pid(AGENT)
    user = host.run("stat", "--format=%U", f"/proc/{pid}").strip()
    runs = host.run("readlink", f"/proc/{pid}/exe").strip()
    assert (user, runs) == (USER, f"/usr/bin/python{python}")
    tag = f".cpython-{python.replace('.', '')}.pyc"
    code = {"".join(file.suffixes) for file in host.path(CODE).iterdir()}
    assert code == {tag}, code
    say(f"runs as {user} with {runs}, byte code {tag}")


def _tried(host: Host) -> None:
    """Whatever they find on a host without GPU and configuration, it is said in words."""
    for words in FIRST:
        done = host.try_run("inferagent", *words)
        text = done.stdout + done.stderr
        assert text, f"{words}: nothing said"
        assert not re.search("Traceback|Warning", text), f"{words}: {text}"


def _serves(scene: Stage, host: Host) -> None:
    """After `inferagent setup`, and says nothing that a person would have to look at."""
    scene.equip(host)  # what a purge took away
    scene.provision(host)
    host.run("inferagent", "config", "check")
    scene.serve(host)
    with Users(scene.public_host, RATE) as users:
        pause(SERVES)
    assert not users.failed, f"{users.failed} of {users.sent}"
    failed = host.run("systemctl", "list-units", "--failed", "--no-legend", "--plain")
    assert failed == "", failed
    journal = ("journalctl", "--no-pager", "-o", "cat", "--quiet")
    assert "serving" in host.run(*journal, f"--unit={AGENT}"), "the journal keeps nothing"
    lines = host.run(*journal, "--priority=warning", "--unit=inferagent*").splitlines()
    said = [line for line in lines if not re.search(UNCONTROLLED, line)]
    assert not said, said
    say(f"set up, and serves: 0 of {users.sent} requests failed, no failed unit, no warning")


def refused(debian: str, lacks: str) -> None:
    """apt says what this Debian lacks, and leaves it as it was."""
    with host_lab(bare=True, debian=debian) as lab:
        store = Store(lab.folder / "store")
        store.folder.mkdir()
        store.build()
        lab.switch.enter()
        with served(store.repo):
            host = lab.boot()
            subscribe(host, store)
            before = left(host)
            done = host.try_run(*INSTALL)
            said = done.stdout + done.stderr
            assert done.returncode == 100, said
            assert lacks in said, said
            assert left(host) == before, f"left behind: {sorted(left(host) - before)}"
            say(f"{debian}: refused, and nothing changed: " + " ".join(_reasons(said)))


def _reasons(said: str) -> list[str]:
    return [line.strip() for line in said.splitlines() if "Depends:" in line or "installable" in line]
