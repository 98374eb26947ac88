"""Local files that setup writes, and their undoing. A secret's text stands in no plan and no record."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inferagent.adapters.files import why, write_whole
from inferagent.ports import PortError
from inferagent.programs.setup.objects import Ids
from inferagent.programs.setup.record import make_folders, remove_folders
from inferagent.programs.setup.session import Object

SECRET_MODE = 0o600
PLAIN_MODE = 0o644
KEPT = ".before-setup"
CHANGED = ".before-undo"


@dataclass(slots=True)
class FileStep:
    """Write one file. `text` gets the ids at its own moment: a plan does not know all of them yet."""

    ids: Ids
    path: Path
    text: Callable[[Ids], str]
    change: str
    secret: bool = False
    _text: str = ""
    _aside: Path | None = None

    @property
    def name(self) -> str:
        return f"file {self.path}"

    def intent(self) -> Object:
        """A secret that is replaced is moved aside instead of being copied into the record."""
        self._text = self.text(self.ids)
        before = read_text(self.path)
        self._aside = _free_name(self.path) if self.secret and before is not None else None
        return {
            "kind": "file",
            "path": str(self.path),
            "before": None if self.secret else before,
            "aside": str(self._aside or ""),
            "after": digest(self._text),
        }

    def apply(self) -> Object:
        mode = SECRET_MODE if self.secret else PLAIN_MODE
        try:
            folders = make_folders(self.path.parent, 0o700 if self.secret else 0o755)
            if self._aside is not None:
                self.path.rename(self._aside)
            write_whole(self.path, self._text.encode(), durable=True, mode=mode)
        except OSError as error:
            raise PortError(f"cannot write {self.path}: {why(error)}") from error
        return {"folders": [str(folder) for folder in folders]}


def undo_file(intent: Object, result: Object) -> str:
    """Put the file back; returns what was done. A file that a person changed since is kept beside it."""
    path, aside = Path(intent["path"]), Path(intent["aside"]) if intent["aside"] else None
    try:
        if aside is not None and not aside.exists():
            return f"left {path}: it was never changed"
        current = read_text(path)
        if current is not None and digest(current) != intent["after"]:
            if current == intent["before"]:
                return f"left {path}: it was never changed"
            path.rename(path.with_name(path.name + CHANGED))
            current = None
        done = _restore(path, aside, intent["before"], current)
        remove_folders(result.get("folders", []))
    except OSError as error:
        raise PortError(f"cannot put {path} back: {why(error)}") from error
    return done


def _restore(path: Path, aside: Path | None, before: str | None, current: str | None) -> str:
    if aside is not None:
        aside.rename(path)
        return f"put {path} back"
    if before is not None:
        write_whole(path, before.encode(), durable=True, mode=PLAIN_MODE)
        return f"put {path} back"
    if current is not None:
        path.unlink()
    return f"removed {path}"


def _free_name(path: Path) -> Path:
    """Beside the file; every replacement keeps its own predecessor."""
    names = (path.with_name(f"{path.name}{KEPT}{suffix}") for suffix in ("", *map(str, range(2, 1000))))
    return next(name for name in names if not name.exists())


def read_text(path: Path) -> str | None:
    """None where there is no such file."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PortError(f"cannot read {path}: {why(error)}") from error
    except UnicodeDecodeError as error:
        raise PortError(f"cannot read {path}: it is not UTF-8 text") from error


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
