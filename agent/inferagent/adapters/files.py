"""Small files that are either whole or not there: written aside, made durable, then renamed into place.

Everything here raises OSError; the caller says which of its deeds failed. A sum shows what a disk changed.
"""

import os
import re
import zlib
from pathlib import Path

_SUM = re.compile(rb',\n "sum": "([0-9a-f]{8})"\n\}\Z')


def write_whole(path: Path, content: bytes, *, durable: bool = False, mode: int = 0o600) -> None:
    """Replace `path` by `content`; with `durable` the content and the name are on disk when this returns."""
    aside = path.with_name(f".{path.name}.new")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and removals inside `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def why(error: OSError) -> str:
    """The system's own words for the error, for the end of a sentence."""
    return error.strerror or str(error)


def with_sum(content: bytes) -> bytes:
    """A JSON object, indented by one, with the sum of its bytes as one more key at its end."""
    body = content.removesuffix(b"\n}")
    return body + b',\n "sum": "%08x"\n}' % zlib.crc32(body)


def is_as_written(content: bytes) -> bool:
    """Whether the sum is there and right: no byte was changed since `with_sum`."""
    found = _SUM.search(content)
    return found is not None and zlib.crc32(content[: found.start()]) == int(found[1], 16)
