"""Who a process on a GPU is: its name and its ancestors, from /proc; "" and () where that is hidden."""

from pathlib import Path

PROC = Path("/proc")
DEEPEST = 64  # ancestors


def name_of(pid: int, proc: Path = PROC) -> str:
    """The kernel's name for it, at most 15 bytes."""
    try:
        raw = (proc / str(pid) / "comm").read_bytes()
    except OSError:
        return ""
    text = raw.decode("utf-8", "replace").strip()
    return "".join(character if character.isprintable() else "?" for character in text)


def parents_of(pid: int, proc: Path = PROC) -> tuple[int, ...]:
    """Its parent, that one's parent and so on, up to 1."""
    found: list[int] = []
    while pid > 1 and len(found) < DEEPEST:
        parent = _parent(pid, proc)
        if parent <= 0:
            break
        found.append(parent)
        pid = parent
    return tuple(found)


def _parent(pid: int, proc: Path) -> int:
    """0 where it is gone or hidden. The name stands in brackets and may hold any character."""
    try:
        after = (proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return int(after[1])
    except (OSError, ValueError, IndexError):
        return 0
