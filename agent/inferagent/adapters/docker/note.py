"""What the follower of a container leaves for the agent: whose life it is, and how the last one ended."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from inferagent.adapters.files import write_whole
from inferagent.config.containers import container_of
from inferagent.model.unit import Unit

FOLDER = Path("/run/inferagent-container")


@dataclass(frozen=True, slots=True)
class Note:
    """`main` is the follower's pid, `pid` that of the container's first process, 0 where it is unknown."""

    main: int = 0
    pid: int = 0
    ended: str = ""


def leave(name: str, note: Note, folder: Path = FOLDER) -> None:
    """OSError where it cannot be written."""
    write_whole(folder / f"{name}.json", json.dumps(asdict(note)).encode(), mode=0o644)


def find(name: str, folder: Path = FOLDER) -> Note:
    """An empty one where there is none that can be read."""
    try:
        found = json.loads((folder / f"{name}.json").read_bytes())
        return Note(int(found["main"]), int(found["pid"]), str(found["ended"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Note()


def told(unit: Unit, name: str, folder: Path = FOLDER) -> Unit:
    """The unit as its container is: the engine's processes descend from that, not from the follower."""
    container = container_of(name)
    if not container:
        return unit
    note = find(container, folder)
    if note.ended and unit.exit and note.main in (0, unit.main_pid):
        unit = replace(unit, exit=note.ended)
    return replace(unit, main_pid=note.pid) if note.pid and note.main == unit.main_pid else unit


def note_policy(name: str, container: str, policy: str, retries: int, folder: Path = FOLDER) -> None:
    """docker's restart policy before it was taken over; OSError where it cannot be written."""
    word = {"id": container, "policy": policy, "retries": retries}
    write_whole(folder / f"{name}.policy", json.dumps(word).encode())


def former_policy(name: str, container: str, folder: Path = FOLDER) -> tuple[str, int] | None:
    """None where nothing was noted of this very container."""
    try:
        found = json.loads((folder / f"{name}.policy").read_bytes())
        return (str(found["policy"]), int(found["retries"])) if found["id"] == container else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(name: str, folder: Path = FOLDER) -> None:
    for suffix in ("json", "policy"):
        (folder / f"{name}.{suffix}").unlink(missing_ok=True)
