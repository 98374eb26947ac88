"""All processes of this host at one look: who each is, and which sockets it holds where that may be read."""

from dataclasses import dataclass
from pathlib import Path

from inferagent.adapters.engine.sockets import holder
from inferagent.adapters.pids import MARK

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """`uids`: real, effective, saved and of the file system. `sockets`: inodes, None where the agent may not
    read them. `marked`: some agent started it, or who started it, as a part."""

    pid: int
    name: str
    uids: frozenset[int]
    cgroup: str = ""
    sockets: frozenset[int] | None = frozenset()
    marked: bool = False


def census(proc: Path = PROC) -> dict[int, Process]:
    """By pid; who ends meanwhile is left out. Raises OSError where there is no /proc."""
    pids = [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()]
    return {one.pid: one for pid in pids if (one := _read(pid, proc)) is not None}


def _read(pid: int, proc: Path) -> Process | None:
    folder = proc / str(pid)
    try:
        status = (folder / "status").read_text(errors="replace")
        cgroup = (folder / "cgroup").read_text(errors="replace")
    except OSError:
        return None
    fields = dict(line.partition(":")[::2] for line in status.splitlines())
    uids = frozenset(int(word) for word in fields.get("Uid", "").split())
    sockets = holder(pid, proc).inodes
    return Process(pid, fields.get("Name", "").strip(), uids, cgroup, sockets, _marked(folder, sockets))


def _marked(folder: Path, sockets: frozenset[int] | None) -> bool:
    """Only asked of whoever holds a socket: a mark is of interest at the engine's port alone."""
    if not sockets:
        return False
    try:
        environment = (folder / "environ").read_bytes()
    except OSError:
        return False
    return any(entry.startswith(f"{MARK}=".encode()) for entry in environment.split(b"\0"))


def sees(pid: int, inode: int, proc: Path = PROC) -> bool:
    """Whether this listening socket is of the network in which the process lives; False where unknown."""
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / str(pid) / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        if any(words[9] == str(inode) for words in map(str.split, lines) if len(words) > 9):
            return True
    return False
