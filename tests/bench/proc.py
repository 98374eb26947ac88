"""What processes have used, by /proc: CPU time, and their share of the memory."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

KIB_PER_MIB = 1024
_REGION = re.compile(r"[0-9a-f]+-[0-9a-f]+ ")
_ALONE = ("Private_Clean", "Private_Dirty")
_WITH_OTHERS = ("Shared_Clean", "Shared_Dirty")


@dataclass(frozen=True, slots=True)
class Use:
    """Of one process until now: CPU seconds of all its threads, and MiB of memory (PSS)."""

    cpu: float
    pss: float


def use_of(pid: int) -> Use:
    """OSError where there is no such process, or it is somebody else's."""
    place = Path("/proc") / str(pid)
    return Use(cpu_in((place / "stat").read_text()), pss_in((place / "smaps_rollup").read_text()))


def cpu_in(stat: str) -> float:
    """User and system time in seconds; the program's name may hold spaces and brackets."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_in(rollup: str) -> float:
    found = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
    return float(found.split()[1]) / KIB_PER_MIB


def together(pids: Iterable[int]) -> float:
    """MiB that these processes would need if no other process shared anything with them."""
    return unshared([(Path("/proc") / str(pid) / "smaps").read_text() for pid in pids])


def unshared(smaps: Iterable[str]) -> float:
    """What several of them share is counted once, at the most that one of them has of it."""
    private, shared = 0.0, dict[str, float]()
    for text in smaps:
        for place, size, alone in regions(text):
            private += alone
            shared[place] = max(shared.get(place, 0.0), size)
    return (private + sum(shared.values())) / KIB_PER_MIB


def regions(smaps: str) -> Iterable[tuple[str, float, float]]:
    """Of each mapping: which part of which file it is, and KiB shared with others and not."""
    for block in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", smaps, flags=re.MULTILINE):
        head, _, rest = block.partition("\n")
        if not _REGION.match(head):
            continue
        offset, device, inode = head.split()[2:5]
        sizes = {name: float(size.split()[0]) for name, size in _sizes(rest)}
        place = f"{device} {inode} {offset}"
        yield place, sum(sizes[name] for name in _WITH_OTHERS), sum(sizes[name] for name in _ALONE)


def _sizes(lines: str) -> Iterable[tuple[str, str]]:
    for line in lines.splitlines():
        name, _, size = line.partition(":")
        if name in (*_ALONE, *_WITH_OTHERS):
            yield name, size
