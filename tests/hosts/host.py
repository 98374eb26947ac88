"""One host: a container with a real systemd as PID 1, its own disk, network and process numbers."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.hosts.base import unified
from tests.hosts.cages import Cage
from tests.hosts.wires import NETWORK, SWITCH, run

BOOTS_WITHIN = 60.0
CLEAN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
# Read-only controllers would make systemd drop MemoryMax= and the like without a word.
INIT = """
for each in /sys/fs/cgroup/*; do mount -o remount,bind,rw,nosuid,nodev,noexec "$each" 2>/dev/null; done
exec /lib/systemd/systemd
"""


def until(holds: Callable[[], Any], what: str, seconds: float = 30.0, every: float = 0.02) -> Any:
    """The first true answer; AssertionError names what did not come."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(every)
    return found


def pause(seconds: float) -> None:
    """What runs beside goes on meanwhile."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() >= end, "time passes", seconds + 10.0, 0.1)


class Host:
    """`layers`: folders that lie over the base, the uppermost first. The disk outlives a power cut."""

    def __init__(self, folder: Path, prefix: str, number: int, layers: Sequence[Path], network: Path) -> None:
        self.name, self.address = f"h{number}", f"{NETWORK}.{number}"
        self.number = number
        self._folder, self._machine, self._network = folder, f"{prefix}-h{number}", network
        self.disk = folder / "root"
        self._cage = Cage(self._machine)
        self._nspawn: subprocess.Popen[bytes] | None = None
        self.pid1 = 0
        for each in ("upper", "work", "root"):
            (folder / each).mkdir(parents=True)
        lower = ":".join(str(layer) for layer in layers)
        options = f"lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work"
        run("mount", "-t", "overlay", self._machine, "-o", options, str(self.disk))
        self._name_it()

    def _name_it(self) -> None:
        lines = ["127.0.0.1 localhost", f"{SWITCH} switch", f"{self.address} {self.name}"]
        (self.disk / "etc/hosts").write_text("\n".join(lines) + "\n")
        (self.disk / "etc/hostname").write_text(self.name + "\n")
        (self.disk / "etc/resolv.conf").unlink(missing_ok=True)
        (self.disk / "etc/resolv.conf").write_text(f"nameserver {SWITCH}\n")  # where nobody answers

    @property
    def lives(self) -> bool:
        return self.pid1 > 0 and _state(self.pid1) not in ("", "Z", "X")

    def boot(self, *extra: str) -> None:
        """Until systemd says that it is done. `extra`: more arguments of systemd-nspawn."""
        assert not self.lives, f"{self.name} runs"
        argv = ["systemd-nspawn", "--quiet", f"--directory={self.disk}", f"--machine={self._machine}"]
        argv += [f"--hostname={self.name}", "--register=no", "--keep-unit", "--console=pipe"]
        argv += [f"--network-namespace-path={self._network}", "--resolv-conf=off", "--timezone=off"]
        argv += ["--link-journal=no", "--capability=CAP_NET_ADMIN,CAP_SYSLOG", *extra, "/bin/sh", "-c", INIT]
        named = CLEAN | {"SYSTEMD_NSPAWN_LOCK": "0"}
        if unified(self.disk):
            named["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "1"
        with (self._folder / "console.log").open("ab") as log:
            self._nspawn = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=named,
                start_new_session=True,
                preexec_fn=self._cage.enter,
            )
        self.pid1 = until(self._find_pid1, f"{self.name} has a PID 1: {self.console}")
        (self._folder / "pids").write_text(f"{_known(self._nspawn.pid)} {_known(self.pid1)}")
        until(self._is_up, f"{self.name} is up", BOOTS_WITHIN)

    def _find_pid1(self) -> int:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, f"{self.name} did not boot: {self.console}"
        for child in _children(self._nspawn.pid):
            numbers = _field(child, "NSpid").split()
            if numbers[1:] == ["1"] and Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return child
        return 0

    def _is_up(self) -> bool:
        assert self.lives, f"{self.name} died: {self.console}"
        said = self.try_run("systemctl", "is-system-running").stdout.strip()
        return said in ("running", "degraded")

    @property
    def console(self) -> str:
        return (self._folder / "console.log").read_text(errors="replace")[-1000:]

    def argv(self, *argv: str, user: str = "") -> list[str]:
        """The command line, for this machine, that runs a command in the host."""
        become = ["runuser", "-u", user, "--"] if user else []
        return ["nsenter", f"--target={self.pid1}", "-m", "-u", "-i", "-n", "-p", "-C", "--", *become, *argv]

    def try_run(
        self, *argv: str, user: str = "", stdin: str = "", seconds: float = 120.0
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.argv(*argv, user=user),
            input=stdin,
            capture_output=True,
            text=True,
            env=CLEAN,
            check=False,
            timeout=seconds,
        )

    def run(self, *argv: str, user: str = "", stdin: str = "") -> str:
        """What it printed; AssertionError with its complaint when it failed."""
        done = self.try_run(*argv, user=user, stdin=stdin)
        assert done.returncode == 0, f"{self.name}: cannot {' '.join(argv)}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *argv: str, user: str = "", **how: Any) -> "subprocess.Popen[bytes]":
        """A command in the host that runs on; the caller ends it."""
        return subprocess.Popen(self.argv(*argv, user=user), env=CLEAN, **how)

    def path(self, path: str) -> Path:
        """A file of the host as this machine sees it, /run and /tmp included while the host runs."""
        top = Path(f"/proc/{self.pid1}/root") if self.lives else self.disk
        return top / path.lstrip("/")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties of a systemd unit."""
        text = self.run("systemctl", "show", f"--property={','.join(properties)}", unit)
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def main_pid(self, unit: str) -> int:
        """In the host's own numbers; 0 where it does not run."""
        return int(self.show(unit, "MainPID")["MainPID"])

    def outside(self, pid: int) -> int:
        """The number that this machine knows the host's process by."""
        space = Path(f"/proc/{self.pid1}/ns/pid").readlink()
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and _field(int(folder.name), "NSpid").split()[1:] == [str(pid)]:
                with contextlib.suppress(OSError):
                    if (folder / "ns/pid").readlink() == space:
                        return int(folder.name)
        raise AssertionError(f"{self.name} has no process {pid}")

    def kill(self, pid: int, which: signal.Signals) -> None:
        """`pid` is the host's own number."""
        self.run("/bin/kill", f"-{which.name.removeprefix('SIG')}", str(pid))

    def power_off(self, seconds: float = 90.0) -> float:
        """As a person would; how long it took."""
        begun = time.monotonic()
        os.kill(self.pid1, signal.SIGRTMIN + 4)  # systemd: poweroff.target
        until(lambda: not self.lives, f"{self.name} goes down", seconds)
        took = time.monotonic() - begun
        self._bury()
        return took

    def power_cut(self) -> None:
        """All of its processes at once: they die with their PID 1."""
        if self.lives:
            os.kill(self.pid1, signal.SIGKILL)
            until(lambda: not self.lives, f"{self.name} dies")
        self._bury()

    def _bury(self) -> None:
        if self._nspawn is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._nspawn.wait(5.0)
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn, self.pid1 = None, 0

    def close(self) -> None:
        self.power_cut()
        subprocess.run(["umount", str(self.disk)], check=False)
        self._cage.remove()


def end_left(folder: Path) -> None:
    """End a host whose lab is gone, by what it wrote down; its disk can be removed then."""
    written = folder / "pids"
    for known in written.read_text().split() if written.exists() else []:
        pid = int(known.partition("@")[0])
        if _known(pid) == known:
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: _state(pid) in ("", "Z", "X"), f"process {pid} dies")
    subprocess.run(["umount", str(folder / "root")], stderr=subprocess.DEVNULL, check=False)


def _known(pid: int) -> str:
    """Number and start of a process: no other one ever has both."""
    try:
        return f"{pid}@{Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"
    except OSError:
        return ""


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _field(pid: int, name: str) -> str:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:")), "")


def _state(pid: int) -> str:
    """A process that nobody has buried yet is dead as well."""
    return _field(pid, "State")[:1]
