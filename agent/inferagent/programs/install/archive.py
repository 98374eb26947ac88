"""Unpacks a tar archive of somebody else's: nothing outside of the folder, no devices, no rights."""

import os
import posixpath
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from inferagent.adapters.part_file import unwritten
from inferagent.ports import PortError
from inferagent.programs.install.commands import Commands

ZSTD = "sudo apt-get install zstd, or sudo dnf install zstd"
PIECE = 1024 * 1024


class _BadMemberError(Exception):
    """Something in it that has no place in a release."""


def unpack(archive: Path, folder: Path, commands: Commands, *, most: int, deadline: float) -> None:
    """`most`: bytes that all its files may have together. `deadline` in seconds."""
    end = time.monotonic() + deadline
    try:
        with _opened(archive, commands, deadline) as raw, tarfile.open(fileobj=raw, mode="r|*") as tar:
            total = 0
            for member in tar:
                total += member.size
                if total > most or time.monotonic() > end:
                    raise _BadMemberError("it has no end" if total > most else "it takes too long")
                _place(tar, member, folder)
                commands.progress.tick(member.name)
    except (_BadMemberError, tarfile.TarError, EOFError) as error:
        raise PortError(f"cannot unpack {archive.name}: {error}", refused=True) from error
    except OSError as error:
        raise unwritten(folder, error) from error


@contextmanager
def _opened(archive: Path, commands: Commands, deadline: float) -> Iterator[IO[bytes]]:
    """Its bytes; tarfile itself knows of gzip, not of zstd."""
    if not archive.name.endswith(".zst"):
        with archive.open("rb") as file:
            yield file
        return
    argv = [commands.there("zstd", ZSTD), "-dcq", "--", str(archive)]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        guard = threading.Timer(deadline, child.kill)
        guard.start()
        try:
            yield child.stdout
            child.stdout.read()
            if child.wait(deadline):
                raise _BadMemberError("zstd cannot read it, or not in time")
        finally:
            guard.cancel()
            child.kill()


def _place(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    path = _inside(member.name, folder)
    if member.isdir():
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        return
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if member.issym():
        _link(member, path, folder)
    elif member.islnk():
        first = _inside(member.linkname, folder)
        if first.is_symlink() or not first.is_file():
            raise _BadMemberError(f"{member.name!r} is a link to what is not there")
        os.link(first, path)
    elif member.isreg():
        _write(tar, member, path)
    else:
        raise _BadMemberError(f"{member.name!r} is neither a file nor a folder nor a link")


def _inside(name: str, folder: Path) -> Path:
    """Where it belongs; nothing is written through a link that came before."""
    clean = posixpath.normpath(name)
    if name.startswith("/") or clean.split("/")[0] == ".." or "\0" in name:
        raise _BadMemberError(f"{name!r} lies outside of it")
    path = folder / clean
    if clean != "." and path.parent.resolve() != folder.resolve() / Path(clean).parent:
        raise _BadMemberError(f"{name!r} lies behind a link")
    return path


def _link(member: tarfile.TarInfo, path: Path, folder: Path) -> None:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
    if member.linkname.startswith("/") or target.split("/")[0] == "..":
        raise _BadMemberError(f"{member.name!r} leads outside")
    _inside(target, folder)
    path.symlink_to(member.linkname)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    """For its owner to write, for all to read; run by all where its owner could."""
    source = tar.extractfile(member)
    assert source is not None
    mode = 0o755 if member.mode & 0o100 else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        shutil.copyfileobj(source, file, PIECE)
