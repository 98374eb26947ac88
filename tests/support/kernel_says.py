"""A FIFO in place of /dev/kmsg, and the kernel at its other end."""

import os
import time
from pathlib import Path


class KernelSays:
    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._side = os.open(path, os.O_RDWR)
        self._sequence = 0

    def __call__(self, *messages: str, priority: int = 4) -> None:
        """One record each, of now."""
        for message in messages:
            self._sequence += 1
            stamp = int(time.monotonic() * 1e6)
            os.write(self._side, f"{priority},{self._sequence},{stamp},-;{message}\n".encode())

    def close(self) -> None:
        os.close(self._side)
