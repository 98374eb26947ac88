"""systemd on the unit files: it has nothing to say of them, and how exposed it finds each."""

import re

from tests.hosts.host import Host
from tests.hosts.lab import host_lab
from tests.hosts.suite import say

FOLDER = "/usr/lib/systemd/system"
# systemd's own measure, from 0 to 10. An engine compiles at run time and talks to its driver.
ALLOWED, ENGINE, INSTALLS = 1.5, 4.5, 3.5


def suite() -> None:
    with host_lab() as lab:
        host = lab.boot()
        host.run("systemd-sysusers")
        judged(host)


def judged(host: Host) -> None:
    names = sorted(path.name for path in host.path(FOLDER).glob("inferagent*"))
    for name in names:
        done = host.try_run("systemd-analyze", "verify", "--man=no", f"{FOLDER}/{name}")
        assert (done.returncode, done.stdout + done.stderr) == (0, ""), f"{name}: {done.stderr}"
    say(f"systemd-analyze verify says nothing of {len(names)} files")
    for name in names:
        if name.endswith(".service"):
            path = f"{FOLDER}/{name}"
            text = host.run("systemd-analyze", "security", "--offline=true", "--no-pager", path)
            found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", text)
            assert found, text
            say(f"exposure {found[1]} of 10: {name}")
            assert float(found[1]) <= _allowed(name), text


def _allowed(name: str) -> float:
    """Who installs programs writes where programs lie; who resets a GPU writes to the bus."""
    if "-verb-install-" in name or "-verb-gpu-" in name:
        return INSTALLS
    return ENGINE if "engine.service" in name else ALLOWED
