"""Whether a file is there. Since Python 3.14, Path.exists says "no" of what may not be looked at."""

from pathlib import Path


def mode_of(path: Path) -> int:
    """0 where there is nothing; OSError where nobody can tell."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
