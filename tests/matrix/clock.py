"""The wall clock of one agent, and of what it starts: it jumps when told to, and theirs alone does."""

import shutil
import struct
import subprocess
from pathlib import Path

from tests.matrix.fault import CannotHereError

SOURCE = Path(__file__).with_name("clock.c")


class WallClock:
    """Built on the spot. `environment` is for who is to live by it."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            raise CannotHereError("no C compiler: the clock that jumps cannot be built")
        library, self._ahead = folder / "clock.so", folder / "clock.ahead"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
        self.jump(0)
        self.environment = {"LD_PRELOAD": str(library), "MATRIX_CLOCK": str(self._ahead)}

    def jump(self, seconds: int) -> None:
        """To so many seconds from the true time. In place: who lives by it has the file mapped."""
        with self._ahead.open("r+b" if self._ahead.exists() else "wb", buffering=0) as file:
            file.write(struct.pack("q", seconds))
