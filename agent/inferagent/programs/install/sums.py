"""Checksums: the list that a release carries, and whether a file is the one that was meant."""

import hashlib
import re
from pathlib import Path

from inferagent.ports import PortError

PIECE = 1024 * 1024
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](?:\./)?([^/\s]+)\s*")


def listed(text: str) -> dict[str, str]:
    """Name → sha256, from the lines of sha256sum; a name that stands twice with two sums is left out."""
    found: dict[str, str] = {}
    twice = set()
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match and found.setdefault(match[2], match[1].lower()) != match[1].lower():
            twice.add(match[2])
    return {name: value for name, value in found.items() if name not in twice}


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sum(path: Path, expected: str, url: str) -> None:
    """A file with another content is removed, so that the next run fetches it anew."""
    found = sha256_of(path)
    if found != expected.lower():
        path.unlink()
        raise PortError(
            f"cannot trust {url}: its sha256 is {found}, expected {expected.lower()} → run it again; "
            "if it stays so, do not use that source",
            refused=True,
        )
