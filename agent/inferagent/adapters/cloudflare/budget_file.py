"""What is left of the share of calls, in the runtime folder: an agent that dies and starts again, again and
again, must not call more often than one that lives. A folder that takes nothing disturbs nothing.
"""

import json
import math
from pathlib import Path

from inferagent.adapters.cloudflare.budget import Left
from inferagent.adapters.files import write_whole

NAME = "api-budget.json"


class BudgetFile:
    """The BudgetStore of one boot: its times are boot-clock seconds, so a file of another boot is none."""

    def __init__(self, run: Path, boot: str) -> None:
        self._path, self._boot = run / NAME, boot

    def load(self) -> Left | None:
        """None, too, where it cannot be read or understood."""
        try:
            found = json.loads(self._path.read_bytes())
            numbers = [float(found[name]) for name in ("left", "at", "blocked_until")]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        whole = found["boot"] == self._boot if "boot" in found else False
        return Left(*numbers) if whole and all(map(math.isfinite, numbers)) else None

    def save(self, left: Left) -> None:
        content = {"boot": self._boot, "left": left.left, "at": left.at, "blocked_until": left.blocked_until}
        try:
            write_whole(self._path, json.dumps(content).encode())
        except OSError:
            return
