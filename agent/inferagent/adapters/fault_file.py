"""The GPU faults of this boot a second time, in the runtime folder: lost state must not clear them (S6).

faults.json ends with the boot, as the faults do. A runtime folder that takes nothing disturbs nothing.
"""

import json
from dataclasses import replace
from math import isnan
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

from inferagent.adapters.files import is_as_written, with_sum, write_whole
from inferagent.model.saved import Fault, Saved

_FAULTS = TypeAdapter(tuple[Fault, ...])


class FaultFile:
    def __init__(self, run: Path) -> None:
        self._path = run / "faults.json"
        self._kept: tuple[Fault, ...] = ()

    def load(self) -> tuple[Fault, ...]:
        """Nothing, too, where it cannot be read or understood."""
        try:
            content = self._path.read_bytes()
            faults = _FAULTS.validate_python(json.loads(content)["faults"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return ()
        sound = is_as_written(content) and not any(isnan(fault.at) for fault in faults)
        self._kept = faults if sound else ()
        return self._kept

    def keep(self, faults: tuple[Fault, ...]) -> None:
        """What a full folder has not taken is tried again with the next state."""
        if faults == self._kept:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, with_sum(to_json({"faults": faults}, inf_nan_mode="strings", indent=1)))
        except OSError:
            return
        self._kept = faults


def with_faults(saved: Saved | None, faults: tuple[Fault, ...]) -> Saved | None:
    """The state with the faults that it lost; where none is left, one that knows nothing else."""
    if saved is None:
        return Saved(boot=faults[-1].boot, faults=faults) if faults else None
    kept = {(fault.boot, fault.gpu, fault.code) for fault in saved.faults}
    lost = tuple(fault for fault in faults if (fault.boot, fault.gpu, fault.code) not in kept)
    return replace(saved, faults=(*saved.faults, *lost)) if lost else saved
