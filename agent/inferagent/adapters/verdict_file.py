"""The verdict of this boot, left as a file for the ready program, which outlives the agent.

verdict.json: {"schema": 1, "boot": id, "ready": bool, "phase": word, "at": boot-clock seconds of the change,
"engine": HOST:PORT of the engine}.
"""

import json
from pathlib import Path

from inferagent.adapters.files import why, write_whole
from inferagent.ports import Clock, PortError


class VerdictFile:
    """The VerdictPort on a file of the runtime folder; an unchanged verdict is not written again."""

    def __init__(self, run: Path, clock: Clock, engine: str = "") -> None:
        self._path = run / "verdict.json"
        self._clock, self._engine = clock, engine
        self._written: tuple[bool, str] | None = None

    def write(self, ready: bool, phase: str) -> None:
        if self._written == (ready, phase) and self._path.exists():
            return
        self._written = None
        verdict = {
            "schema": 1,
            "boot": self._clock.boot(),
            "ready": ready,
            "phase": phase,
            "at": self._clock.now(),
            "engine": self._engine,
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(verdict).encode())
        except OSError as error:
            self._retract(ready)
            raise PortError(f"cannot write the verdict {self._path}: {why(error)}") from error
        self._written = (ready, phase)

    def read(self) -> bool | None:
        try:
            verdict = json.loads(self._path.read_bytes())
            return verdict["ready"] is True if verdict["boot"] == self._clock.boot() else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _retract(self, ready: bool) -> None:
        """No verdict is answered 503 as well: a full disk must not keep an old 200 standing."""
        if ready:
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise PortError(f"cannot take back the verdict {self._path}: {why(error)}") from error
