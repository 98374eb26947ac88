"""A download that is not whole yet: its bytes beside the place they are for, and whose bytes they are."""

import errno
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inferagent.adapters.files import why, write_whole
from inferagent.ports import PortError


@dataclass(frozen=True, slots=True)
class PartFile:
    """Of what comes from `url` and is for `into`."""

    url: str
    into: Path

    @property
    def path(self) -> Path:
        return self.into.with_name(f"{self.into.name}.part")

    @property
    def _note(self) -> Path:
        return self.into.with_name(f"{self.into.name}.part.json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def tag(self) -> str:
        """By which the server knows whether the rest still fits; "" where there is nothing to go on with."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(self._note.read_text("utf-8"))
            if found["url"] == self.url and self.size():
                return str(found["tag"])
        return ""

    def remember(self, tag: str) -> None:
        """A weak tag (W/) does not speak of bytes."""
        strong = "" if tag.startswith("W/") else tag
        write_whole(self._note, json.dumps({"url": self.url, "tag": strong}).encode())

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def done(self) -> None:
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(self.into)
        self._note.unlink(missing_ok=True)


def check_room(folder: Path, needed: int) -> None:
    """PortError where the disk that `folder` is on, or will be, has fewer free bytes."""
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise PortError(
            f"cannot put {in_words(needed)} into {folder}: only {in_words(free)} are free → "
            f"make room on that disk: df -h {there}",
            refused=True,
        )


def unwritten(path: Path, error: OSError) -> PortError:
    cure = f" → make room on that disk: df -h {path.parent}" if error.errno == errno.ENOSPC else ""
    return PortError(f"cannot write {path}: {why(error)}{cure}", refused=error.errno == errno.ENOSPC)


def in_words(count: float) -> str:
    """Bytes for people: 1.5 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
