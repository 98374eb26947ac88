"""Control groups of one host, in every hierarchy that this machine has; version 1, 2 or both."""

import contextlib
import os
import signal
from pathlib import Path

TOP = Path("/sys/fs/cgroup")


class Cage:
    def __init__(self, name: str) -> None:
        tops = [TOP] if (TOP / "cgroup.procs").exists() else sorted(TOP.iterdir())
        self._folders = [top / name for top in tops if (top / "cgroup.procs").exists()]
        for folder in self._folders:
            folder.mkdir(exist_ok=True)
            for setting in ("cpuset.cpus", "cpuset.mems"):  # version 1 begins empty, and takes nobody in
                if (folder / setting).exists():
                    (folder / setting).write_text((folder.parent / setting).read_text())
            if (folder / "cgroup.clone_children").exists():
                (folder / "cgroup.clone_children").write_text("1")

    def enter(self) -> None:
        """For the process that calls this: between fork and exec."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def kill(self) -> bool:
        """Whether nobody is left in it."""
        left = [folder for folder in self._folders if not kill(folder)]
        return not left

    def remove(self) -> None:
        for folder in self._folders:
            remove(folder)


def remove(folder: Path) -> None:
    for inner, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):  # a process that is not buried yet keeps it
            Path(inner).rmdir()


def kill(folder: Path) -> bool:
    """End who is in it, not below it; True when nobody was, but for the dead that nobody buried."""
    lives = [pid for pid in map(int, (folder / "cgroup.procs").read_text().split()) if _lives(pid)]
    for pid in lives:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not lives


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False
