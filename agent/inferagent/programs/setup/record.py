"""The undo record: what setup is about to do and has done, one JSON line each, on disk before the deed.

A crash in the middle leaves a step begun and not done; undo then finds the object by its name.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferagent.adapters.files import sync_folder
from inferagent.ports import PortError

NAME = "setup-undo.jsonl"
POINTER = ".setup-state"  # beside the configuration: where the state folder is, until config.toml says so

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One step. `intent` is what it was about to do, `result` what came of it ({}: not known to be done)."""

    number: int
    step: str
    intent: Object
    result: Object
    undone: bool = False


class Record:
    """OSError where the file cannot be written: then nothing may be done either."""

    def __init__(self, state: Path) -> None:
        self.path = state / NAME
        self._next = 0

    def open(self, header: Object) -> None:
        """Make the file, or go on with it; the first header stays."""
        self.trust()
        made = make_folders(self.path.parent)
        if not self.header():
            self._write({**header, "version": 1, "folders": [str(folder) for folder in made]})
        self._next = len(self.entries())

    def trust(self) -> None:
        """PortError where another may have written what root is about to undo: the folder is the agent's."""
        with suppress(FileNotFoundError):
            if os.geteuid() == 0 and self.path.lstat().st_uid != 0:
                cure = f"read it, then: sudo chown root {self.path}"
                raise PortError(f"cannot trust the undo record {self.path}: it is not root's → {cure}")

    def header(self) -> Object:
        """{} also where a full disk took the file and no line of it."""
        return next((line for line in self._lines() if "version" in line), {})

    def begin(self, step: str, intent: Object) -> int:
        """The step's number."""
        number, self._next = self._next, self._next + 1
        self._write({"number": number, "step": step, "begun": intent})
        return number

    def done(self, number: int, result: Object) -> None:
        self._write({"number": number, "done": result})

    def undone(self, number: int) -> None:
        self._write({"number": number, "undone": True})

    def entries(self) -> list[Entry]:
        found: dict[int, Entry] = {}
        for line in self._lines():
            number = line.get("number", -1)
            if "begun" in line:
                found[number] = Entry(number, line["step"], line["begun"], {})
            elif number in found:
                old = found[number]
                result = line.get("done", old.result)
                found[number] = Entry(number, old.step, old.intent, result, bool(line.get("undone")))
        return list(found.values())

    def remove(self) -> None:
        folders = self.header().get("folders", [])
        self.path.unlink(missing_ok=True)
        remove_folders(folders)

    def _lines(self) -> Iterator[Object]:
        """A last line that a crash tore is not read."""
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return
        for line in text.splitlines():
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found

    def _write(self, line: Object) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self.path, flags, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            with suppress(PermissionError):  # the agent, a user of its own, reads it too, and never writes it
                os.fchown(handle, -1, self.path.parent.stat().st_gid)
                os.fchmod(handle, 0o640)
            file.write("\n" + json.dumps(line, separators=(",", ":"), sort_keys=True))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.path.parent)


def make_folders(folder: Path, mode: int = 0o755) -> list[Path]:
    """Make a folder of that mode and what it lies in; the ones made, outermost first."""
    made: list[Path] = []
    for part in (*reversed(folder.parents), folder):
        if not part.exists():
            part.mkdir(mode if part == folder else 0o755)
            made.append(part)
    return made


def remove_folders(folders: list[str]) -> None:
    """Remove folders that setup made, innermost first, as long as they are empty."""
    for folder in reversed(folders):
        path = Path(folder)
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def made_pool(state: Path) -> bool:
    """Whether setup made this host's pool, disabled: no other hand did. PortError: unreadable."""
    try:
        entries = Record(state).entries()
    except (OSError, UnicodeDecodeError) as error:
        raise PortError(f"cannot read the undo record {state / NAME}: {error}") from error
    return any(e.intent.get("kind") == "pool" and e.intent.get("made") and not e.undone for e in entries)
