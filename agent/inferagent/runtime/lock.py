"""One agent a host: a lock beside the control sockets, held for as long as anything of the agent goes on."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

LOCK = "agent.lock"


class ControlError(RuntimeError):
    """This agent cannot be one. The text reads "cannot start: …"; `cure` says what to do."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


@contextlib.contextmanager
def only_agent(run: Path) -> Iterator[None]:
    """Holds the lock in the runtime folder: it ends with the process, however that ends. ControlError.

    The file is never removed: of two agents one could lock the file that the other has just taken away.
    """
    lock = run / LOCK
    try:
        run.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise cannot(lock, error, "lock") from error
    try:
        _take(lock, handle)
        yield
    finally:
        os.close(handle)


def cannot(path: Path, error: OSError, deed: str) -> ControlError:
    sudo = "run the command with sudo, or " if isinstance(error, PermissionError) else ""
    cure = f"{sudo}name another folder: run under [agent] in config.toml"
    return ControlError(f"cannot start: cannot {deed} {path}: {error.strerror or error}", cure)


def _take(lock: Path, handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ControlError(
            f"cannot start: another agent{_holder(handle)} holds {lock}", "inferagent status"
        ) from None
    except OSError as error:
        raise cannot(lock, error, "lock") from error
    with contextlib.suppress(OSError):  # on a full disk the lock holds all the same, without a name
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)


def _holder(handle: int) -> str:
    """Its pid for a message, "" where it has not written it yet: what stands there then is a dead one's."""
    pid = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
    return f" (pid {pid})" if pid.isdecimal() and Path(f"/proc/{pid}").exists() else ""
