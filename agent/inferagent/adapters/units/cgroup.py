"""The processes of a control group, those of its inner groups included.

Read from the kernel's files and not asked of systemd, which would look at the memory of each process for the
answer: one that is stuck in the kernel can hang whoever does that, and it must not be PID 1.
"""

import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
HIERARCHIES = ("", "unified", "systemd")  # version 2; both at once; version 1


def processes(group: str, root: Path = ROOT) -> frozenset[int]:
    """Empty where there is no such group, or none that can be read."""
    if not group.strip("/"):
        return frozenset()
    for hierarchy in HIERARCHIES:
        folder = root / hierarchy / group.strip("/")
        if folder.is_dir():
            return frozenset(_below(folder))
    return frozenset()


def _below(folder: Path) -> list[int]:
    found: list[int] = []
    for inner, _, files in os.walk(folder):
        if "cgroup.procs" in files:
            found += _members(Path(inner) / "cgroup.procs")
    return found


def _members(file: Path) -> list[int]:
    try:
        return [pid for line in file.read_text("ascii").split() if (pid := int(line))]  # 0: of another view
    except OSError:
        return []
