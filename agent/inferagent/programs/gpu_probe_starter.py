"""Starts the probe program where none lives; never waits for one, never kills one, never starts a second."""

import os
import sys
import time
from pathlib import Path

from inferagent.adapters import process
from inferagent.adapters.files import why
from inferagent.adapters.gpu.leave import LOCK, hold_lock, says_absent
from inferagent.ports import PortError

PAUSE = 30.0  # seconds between two starts of a probe that ends by itself
ABSENT_PAUSE = 600.0  # the same where it found no GPU: a driver may be installed yet


def ensure(run: Path, every: float = 5.0, pause: float = PAUSE) -> bool:
    """Whether a probe was started now. Cheap, to be called again and again."""
    try:
        run.mkdir(parents=True, exist_ok=True)
        _reap(run)
        handle = hold_lock(run)
        if handle is None:
            return False
        os.close(handle)
        if _too_early(run, pause):
            return False
        argv = [sys.executable, "-I", "-m", "inferagent.programs.gpu_probe", "--run", str(run.absolute())]
        pid = process.spawn([*argv, "--every", f"{every:g}"], log=run / "gpu.log")
        (run / LOCK).write_text(str(pid), "ascii")
    except OSError as error:
        raise PortError(f"cannot start the GPU probe in {run}: {why(error)}") from error
    return True


def _reap(run: Path) -> None:
    """The one that was started before may have ended; it is ours to bury."""
    try:
        process.reap(int((run / LOCK).read_text("ascii")))
    except (FileNotFoundError, ValueError):
        return


def _too_early(run: Path, pause: float) -> bool:
    """After a start, by the lock file's time, which the start sets; longer after a report of no GPU."""
    try:
        started = (run / LOCK).read_text("ascii")
        age = time.time() - (run / LOCK).stat().st_mtime
    except OSError:
        return False
    return bool(started) and 0 <= age < (max(pause, ABSENT_PAUSE) if says_absent(run) else pause)
