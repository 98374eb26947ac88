"""The two control sockets as files: control.sock for readers, operator.sock for those who may act.

Who may open one is the file's mode and group, and nothing else: the kernel refuses, not the agent. Root and
the agent's own user always may.
"""

import contextlib
import errno
import grp
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from inferagent.runtime.acl import give_to_group, groups
from inferagent.runtime.lock import ControlError, cannot

READING, ACTING = "control.sock", "operator.sock"
GROUP, ALONE = 0o660, 0o600
BACKLOG = 64


@dataclass(frozen=True, slots=True)
class Access:
    """Names of groups. `readers` "": the runtime folder's own group; `operators` "": no group at all."""

    readers: str = ""
    operators: str = ""


def open_reading(path: Path, access: Access, troubles: MutableMapping[str, str]) -> tuple[socket.socket, int]:
    """As `open_socket`; with a wish for a group that cannot be had, only its own user may come."""
    gid, problem = _group(access.readers) if access.readers else (_of_folder(path), "")
    return _open(path, gid, problem, troubles, access.readers)


def open_acting(path: Path, access: Access, troubles: MutableMapping[str, str]) -> tuple[socket.socket, int]:
    gid, problem = _group(access.operators)
    return _open(path, gid, problem, troubles, access.operators)


def _open(
    path: Path, gid: int | None, problem: str, troubles: MutableMapping[str, str], name: str
) -> tuple[socket.socket, int]:
    """A group that was named and cannot be let in is a trouble that status shows, and lets nobody else in."""
    listener, inode = open_socket(path, ALONE if gid is None else GROUP, gid)
    if gid is not None and gid not in _let_in(path):
        problem = f"the file system of {path.parent} keeps no access lists"
    if name:
        code = f"group-not-let-in-{path.stem}"
        troubles[code] = f"cannot open {path} to the group {name}: {problem}" if problem else ""
    return listener, inode


def _of_folder(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.parent.stat().st_gid
    except OSError as error:
        raise cannot(path, error, "listen at") from error


def _group(name: str) -> tuple[int | None, str]:
    """Its number, or None and why not."""
    if not name:
        return None, ""
    try:
        return grp.getgrnam(name).gr_gid, ""
    except KeyError:
        return None, f"there is no such group: sudo groupadd {name}, and restart the agent"


def open_socket(path: Path, mode: int = GROUP, gid: int | None = None) -> tuple[socket.socket, int]:
    """A listening socket at `path`, and its file's inode.

    A file that a dead agent left is replaced; where an agent answers, ControlError.
    """
    try:
        _refuse_living(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:
        raise cannot(path, error, "listen at") from error
    try:
        listener.bind(str(path))
        _admit(path, mode, gid)  # before listen: nobody can have connected yet
        listener.listen(BACKLOG)
        listener.setblocking(False)
        return listener, path.stat().st_ino
    except OSError as error:
        listener.close()
        raise cannot(path, error, "listen at") from error


def _admit(path: Path, mode: int, gid: int | None) -> None:
    """Another group than the file's own gets an entry of its own: to give the file away needs a privilege,
    and the group that the file has may be anybody's. Where no entry can be kept, nobody more is let in."""
    path.chmod(ALONE)
    if gid is None or path.stat().st_gid == gid:
        path.chmod(mode)
        return
    with contextlib.suppress(OSError):
        give_to_group(path, gid)


def _let_in(path: Path) -> list[int]:
    """The groups that may open this socket."""
    found = path.stat()
    if found.st_mode & 0o060 != 0o060:
        return []
    return groups(path) or [found.st_gid]


def _refuse_living(path: Path) -> None:
    """Removes a stale socket file; ControlError where somebody answers or the file is no socket."""
    if not path.exists():
        return
    if not path.is_socket():
        raise ControlError(f"cannot start: {path} is there and is no socket", f"sudo ls -l {path}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        result = probe.connect_ex(str(path))
    # EAGAIN: the queue of a living agent is full.
    if result in (0, errno.EAGAIN, errno.EINPROGRESS):
        raise ControlError(f"cannot start: another agent answers at {path}", "inferagent status")
    path.unlink(missing_ok=True)


def remove(path: Path, inode: int) -> None:
    """Its own file only: a successor may have put another there."""
    with contextlib.suppress(OSError):
        if is_there(path, inode):
            path.unlink()


def is_there(path: Path, inode: int) -> bool:
    """Whether the file of this very socket still has its name: nobody can come in without."""
    try:
        return path.stat().st_ino == inode
    except OSError:
        return False


def who_may(path: Path) -> str:
    """The group that may open this socket, "" when none may or nobody can tell."""
    try:
        return next((grp.getgrgid(gid).gr_name for gid in _let_in(path)), "")
    except (OSError, KeyError):
        return ""


def may_cure(path: Path) -> str:
    """What somebody does who is not let in at this socket."""
    group = who_may(path)
    if group:
        return f"run it with sudo, or join the group {group}: sudo usermod -aG {group} $USER, and log in anew"
    key = "operators" if path.name == ACTING else "readers"
    return f"run it with sudo, or name a group that may: {key} under [agent] in config.toml"
