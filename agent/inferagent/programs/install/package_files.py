"""The files that make a package repository known to this host; taken back where it is refused."""

from dataclasses import dataclass, field
from pathlib import Path

from inferagent.adapters.files import why, write_whole
from inferagent.ports import PortError


@dataclass
class RepositoryFiles:
    """`written`: path → what was there before, None for nothing."""

    written: dict[Path, bytes | None] = field(default_factory=dict)

    def write(self, path: Path, content: bytes) -> None:
        """For all to read: apt and rpm read as users of their own."""
        try:
            before = path.read_bytes() if path.exists() else None
            if before == content:
                return
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_whole(path, content, durable=True, mode=0o644)
            path.chmod(0o644)
        except OSError as error:
            raise PortError(f"cannot write {path}: {why(error)}") from error
        self.written.setdefault(path, before)

    def take_back(self) -> None:
        for path, before in self.written.items():
            try:
                if before is None:
                    path.unlink(missing_ok=True)
                else:
                    write_whole(path, before, durable=True, mode=0o644)
                    path.chmod(0o644)
            except OSError as error:
                raise PortError(f"cannot take {path} back: {why(error)}") from error
        self.written.clear()


def named_elsewhere(folder: Path, pattern: str, url: str, own: Path) -> Path | None:
    """A file of somebody else's that names this repository already: two would be in each other's way."""
    for path in sorted(folder.glob(pattern)):
        if path == own or not path.is_file():
            continue
        lines = path.read_text("utf-8", "replace").splitlines()
        if any(url in line and not line.lstrip().startswith("#") for line in lines):
            return path
    return None
