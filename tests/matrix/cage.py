"""A mount namespace for one agent: other files at some paths, for it and what it starts alone.

Needs root, as every mount does. It ends with the last of its processes.
"""

import asyncio
import functools
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.matrix.fault import CannotHereError

TOOLS = ("unshare", "nsenter", "mount")


def agent_prefix(*deeds: str) -> tuple[str, ...]:
    """The words before an agent's own: a new namespace, the deeds (sh) in it, and then the agent."""
    lacks = lacking()
    if lacks:
        raise CannotHereError(lacks)
    script = " && ".join((*deeds, 'exec "$@"'))
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "cage")


@functools.cache
def lacking() -> str:
    """ "" or why no namespace can be had on this machine."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"no {missing[0]}"
    if os.geteuid():
        return "not root: no mounts"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tried", tempfile.gettempdir()],
        capture_output=True,
        text=True,
    )
    return f"no mounts: {tried.stderr.strip()}" if tried.returncode else ""


def small_disk(folder: Path, size: str) -> str:
    """The deed that puts what is in `folder` on a disk of its own."""
    here, aside = shlex.quote(str(folder)), shlex.quote(f"{folder}.before")
    copied = f"mkdir -p {here} && cp -a {here} {aside}"
    return f"{copied} && mount -t tmpfs -o size={size} lab {here} && cp -a {aside}/. {here}"


def own_mount(folder: Path) -> str:
    """The deed that makes `folder` a mount, which can be made read-only."""
    here = shlex.quote(str(folder))
    return f"mkdir -p {here} && mount --bind {here} {here}"


def in_place_of(path: Path, other: Path) -> str:
    """The deed that shows `other` at `path`."""
    return f"mount --bind {shlex.quote(str(other))} {shlex.quote(str(path))}"


def inside(pid: int, path: Path) -> Path:
    """How this process reaches what that one sees at `path`."""
    return Path(f"/proc/{pid}/root") / path.relative_to("/")


async def enter(pid: int, *command: str) -> None:
    """Run a command in the namespace of that process. OSError with its words when it fails."""
    words = ["nsenter", "--target", str(pid), "--mount", *command]
    done = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE)
    _, said = await done.communicate()
    if done.returncode:
        raise OSError(f"cannot do {shlex.join(command)}: {said.decode(errors='replace').strip()}")


def fill(folder: Path) -> Path:
    """Take all the room that is left there; the file that has it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return filler
