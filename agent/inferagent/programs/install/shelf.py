"""The versions of one part side by side: /opt/inferagent/NAME/VERSION, and two links, `current` and `before`.

A version counts once it is complete; what a crash left half made is made anew. A switch is one rename.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from inferagent.adapters.files import sync_folder, why
from inferagent.config.sources import VERSION
from inferagent.ports import PortError

COMPLETE = ".complete"
CURRENT, BEFORE, DOWNLOADS, CACHE = "current", "before", "downloads", "cache"
NOT_VERSIONS = (CURRENT, BEFORE, DOWNLOADS, CACHE, "packages")


@dataclass(frozen=True)
class Shelf:
    """OSError of these deeds becomes PortError."""

    folder: Path
    flush: Callable[[], None] = os.sync

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def downloads(self) -> Path:
        return self.folder / DOWNLOADS

    @property
    def cache(self) -> Path:
        return self.folder / CACHE

    @property
    def current(self) -> str:
        """The version in use, "" for none."""
        return self._target(CURRENT)

    @property
    def before(self) -> str:
        """The version to go back to, "" for none."""
        found = self._target(BEFORE)
        return found if found != self.current and self.has(found) else ""

    def has(self, version: str) -> bool:
        return bool(version) and (self.folder / version / COMPLETE).is_file()

    def place(self, version: str) -> Path:
        """An empty folder for a version that is not there."""
        if not re.fullmatch(VERSION, version) or version in NOT_VERSIONS:
            raise PortError(f"cannot install {self.name} {version!r}: that is no version", refused=True)
        path = self.folder / version
        try:
            if path.exists():
                shutil.rmtree(path)
            path.mkdir(mode=0o755, parents=True)
        except OSError as error:
            raise self._cannot("make", path, error) from error
        return path

    @contextmanager
    def making(self, version: str) -> Iterator[Path]:
        """The folder to fill: complete once the caller is through with it, gone where that fails."""
        path = self.place(version)
        try:
            yield path
        except PortError:
            shutil.rmtree(path, ignore_errors=True)
            raise
        self.complete(version)

    def complete(self, version: str) -> None:
        """All of it is there and verified."""
        path = self.folder / version
        try:
            self.flush()
            (path / COMPLETE).touch()
            sync_folder(path)
        except OSError as error:
            raise self._cannot("write", path, error) from error

    def clear(self) -> None:
        """What a version was made from is needed no more."""
        for folder in (self.downloads, self.cache):
            shutil.rmtree(folder, ignore_errors=True)

    def switch(self, version: str) -> None:
        """`before` is set first: a crash between the two leaves nothing that cannot be gone back from."""
        old = self.current
        if old == version:
            return
        if not self.has(version):
            raise PortError(f"cannot switch {self.name} to {version}: it is not complete", refused=True)
        try:
            if old and self.has(old):
                self._point(BEFORE, old)
            self._point(CURRENT, version)
        except OSError as error:
            raise self._cannot("switch", self.folder / CURRENT, error) from error

    def prune(self) -> list[str]:
        """What is neither in use, the one before, still running nor a download is removed; the names."""
        kept, gone = (self.current, self._target(BEFORE), *NOT_VERSIONS), []
        for path in sorted(self.folder.iterdir()):
            if path.is_dir() and not path.is_symlink() and path.name not in kept and not runs(path):
                shutil.rmtree(path, ignore_errors=True)
                gone.append(path.name)
        return gone

    def _target(self, link: str) -> str:
        try:
            return str((self.folder / link).readlink())
        except OSError:
            return ""

    def _point(self, link: str, version: str) -> None:
        aside = self.folder / f".{link}.new"
        aside.unlink(missing_ok=True)
        aside.symlink_to(version)
        aside.replace(self.folder / link)
        sync_folder(self.folder)

    def _cannot(self, verb: str, path: Path, error: OSError) -> PortError:
        return PortError(f"cannot {verb} {path}: {why(error)}")


def runs(folder: Path, proc: Path = Path("/proc")) -> bool:
    """Whether some process has a program or library of it: an engine that nobody restarted since."""
    wanted = f" {folder}/".encode()
    for maps in proc.glob("[0-9]*/maps"):
        with suppress(OSError):  # it ended, or is not ours to look into
            if wanted in maps.read_bytes():
                return True
    return False


def link_program(links: Path, name: str, target: Path) -> str:
    """`name` among the programs of this host leads to `target`; a sentence where somebody else's is there."""
    link = links / name
    try:
        if link.is_symlink() and link.readlink() == target:
            return ""
        if link.exists() or link.is_symlink():
            return f"{link} is another {name} and stays as it is: name {target} in your unit or your command"
        links.mkdir(mode=0o755, parents=True, exist_ok=True)
        link.symlink_to(target)
    except OSError as error:
        raise PortError(f"cannot make {link}: {why(error)}") from error
    return ""
