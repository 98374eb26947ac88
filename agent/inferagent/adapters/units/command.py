"""What a child unit runs, and how patiently it is supervised."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """What runs: no secrets in any of it. `name` is "engine" or "connector"."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None

    def missing(self) -> bool:
        """Whether there is no such program, by the PATH and the folder that the child would have."""
        name, path = self.argv[0], self.environment.get("PATH", os.environ.get("PATH"))
        place = str((self.cwd or Path()) / name) if "/" in name else name
        return shutil.which(place, path=path) is None


@dataclass(frozen=True, slots=True)
class Manners:
    """Seconds, counts and bytes; the first three as RestartSec, StartLimitBurst and StartLimitIntervalSec.

    A `burst` of 0 starts nothing again.
    """

    restart: float = 3.0
    burst: int = 5
    window: float = 10.0
    stop: float = 15.0  # from SIGTERM to SIGKILL of the main process
    leftovers: float = 5.0  # the same for what it leaves behind
    sure: float = 5.0  # how long SIGKILL may take
    log_bytes: int = 8 << 20
    log_look: float = 10.0
