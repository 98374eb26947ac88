"""The disk that all hosts start from, built once with mmdebstrap and kept outside the repository."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SUITES = {(3, 11): "bookworm", (3, 13): "trixie"}  # the Debian whose Python can load what this one uses
UNIFIED_SINCE = 258  # systemd: from then on it knows version 2 of control groups only
PACKAGES = "systemd,systemd-sysv,dbus,python3,iproute2,procps,curl"
TOOLS = ("systemd-nspawn", "mmdebstrap", "ip", "nft", "nsenter")
# They would ask the world outside, or work at odd times.
MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "dpkg-db-backup.timer",
)


class NoHostsError(Exception):
    """This machine cannot boot hosts; the text says what it lacks."""


def folder() -> Path:
    return Path(os.environ.get("TMPDIR", "/var/tmp")) / "inferagent-hosts"


def suite(debian: str = "") -> str:
    """`debian`, if given. Raises NoHostsError."""
    found = debian or SUITES.get(sys.version_info[:2])
    if os.geteuid() != 0:
        raise NoHostsError("only root can boot hosts")
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise NoHostsError(f"this machine has no {', '.join(missing)}")
    if found is None:
        raise NoHostsError("no Debian has the Python that runs this")
    _try_disk()
    return found


def _try_disk() -> None:
    """Some containers may not mount, and none may lie over a disk that lies over another."""
    top = folder()
    top.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=top) as name:
        places = [Path(name) / each for each in ("low", "up", "work", "all")]
        for place in places:
            place.mkdir()
        options = "lowerdir={},upperdir={},workdir={}".format(*places)
        argv = ["mount", "-t", "overlay", "inferagent-hosts", "-o", options, str(places[3])]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoHostsError(f"no disk of a host can be mounted in {top}: {done.stderr.strip()}")
        subprocess.run(["umount", str(places[3])], check=True)


def base(more: str = "", debian: str = "") -> Path:
    """The root of the base, built where there is none yet (about a minute). Raises NoHostsError.

    `more`: packages that it has besides, with commas; a base of its own then. `debian`: a suite whose Python
    may be another one than this.
    """
    name = suite(debian)
    root = folder() / "bases" / "-".join([name, *more.split(",")] if more else [name])
    root.parent.mkdir(parents=True, exist_ok=True)
    with (root.parent / f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            _build(name, root, more)
    return root


def _build(name: str, root: Path, more: str) -> None:
    """Under another name first: half a base is none."""
    half = root.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    argv = [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={PACKAGES}{f',{more}' if more else ''}",
        '--aptopt=Acquire::Check-Valid-Until "false"',  # sid says for how long; a mirror may stand still
        name,
        str(half),
        _mirror(name),
    ]
    log = root.with_suffix(".log")
    with log.open("w") as output:
        done = subprocess.run(argv, stdout=output, stderr=output, check=False)
    if done.returncode:
        raise NoHostsError(f"mmdebstrap could not build {name}: see {log}")
    (half / "etc/machine-id").write_text("")  # each host makes its own
    units = half / "etc/systemd/system"
    for unit in MASKED:
        (units / unit).symlink_to("/dev/null")
    (half / "var/log/journal").mkdir(exist_ok=True)
    half.rename(root)


def _mirror(name: str) -> str:
    """The one that this machine itself installs from."""
    argv = [
        "apt-get",
        "indextargets",
        "--format",
        "$(CODENAME) $(COMPONENT) $(REPO_URI)",
        "Created-By: Packages",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if found := mirror_of(name, done.stdout):
        return found
    raise NoHostsError(f"this machine's apt knows no mirror of {name}")


def mirror_of(name: str, targets: str) -> str:
    """`targets`: lines of codename, component and address. One archive bears every suite of Debian."""
    known = {}
    for line in reversed(targets.splitlines()):
        codename, component, address = line.split(" ", 2)
        if component == "main":
            known[codename] = address
    return next((known[each] for each in (name, *SUITES.values()) if each in known), "")


def python_of(root: Path) -> str:
    """The Python of a base, as 3.13."""
    return (root / "usr/bin/python3").readlink().name.removeprefix("python")


def unified(root: Path) -> bool:
    """Whether the systemd on this disk runs on version 2 of control groups only."""
    names = [file.name for file in root.glob("usr/lib/*/systemd/libsystemd-shared-*.so")]
    return any(int(re.findall(r"\d+", name)[0]) >= UNIFIED_SINCE for name in names)
