"""Virtual environments in the cache: made in their `.part` folder, and good where they are renamed to."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.real.get import Making

QUIET = ("--quiet", "--disable-pip-version-check", "--no-input")


def create(making: Making, folder: Path, seconds: float = 120.0) -> None:
    making.run([sys.executable, "-m", "venv", "--clear", folder], seconds)


def pip(making: Making, folder: Path, words: Sequence[str | Path], seconds: float) -> None:
    making.run([folder / "bin" / "python", "-m", "pip", *words, *QUIET], seconds)


def move(folder: Path, old: Path, new: Path) -> None:
    """Its scripts name the interpreter by where it will be."""
    head = f"#!{old}/".encode()
    for script in (folder / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        if content.startswith(head):
            script.write_bytes(content.replace(head, f"#!{new}/".encode(), 1))


def site(folder: Path) -> Path:
    """Where its packages lie."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return folder / "lib" / version / "site-packages"
