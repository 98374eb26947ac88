"""`killer.py PID AFTER [FILE]`: kill -9 for a process, AFTER seconds after FILE has changed.

A process of its own, with nothing else to do, so that it comes in time. Prints a line when it begins to look,
and one with the wall second of the kill.
"""

import os
import signal
import sys
import time

SPIN = 0.0002
PATIENCE = 60.0


def mark(path: str) -> int:
    """Changes with the file; 0 while there is none."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 (no import that would make the start slow)
    except FileNotFoundError:
        return 0


def main(pid: int, after: float, path: str = "") -> None:
    before = mark(path)
    end = time.monotonic() + PATIENCE
    sys.stdout.write("looking\n")
    sys.stdout.flush()
    while path and mark(path) == before:
        if time.monotonic() > end:
            sys.exit("the moment for the kill never came")
        time.sleep(SPIN)
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
    sys.stdout.write(f"{time.time()}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
