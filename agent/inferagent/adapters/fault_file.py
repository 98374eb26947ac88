"""The GPU faults of this boot a second time, in the runtime folder: lost state must not clear them (S6).

faults.json ends with the boot, as the faults do; it holds the operator's words on them too. A runtime folder
that takes nothing disturbs nothing.
"""

import json
from dataclasses import replace
from math import isnan
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

from inferagent.adapters.files import is_as_written, with_sum, write_whole
from inferagent.model.saved import Cleared, Fault, Saved

_FAULTS = TypeAdapter(tuple[Fault, ...])
_CLEARED = TypeAdapter(tuple[Cleared, ...])


class FaultFile:
    def __init__(self, run: Path) -> None:
        self._path = run / "faults.json"
        self._kept: tuple[Fault, ...] = ()
        self.cleared: tuple[Cleared, ...] = ()  # as last loaded or kept

    def load(self) -> tuple[Fault, ...]:
        """Nothing, too, where it cannot be read or understood."""
        try:
            content = self._path.read_bytes()
            found = json.loads(content)
            faults = _FAULTS.validate_python(found["faults"])
            cleared = _CLEARED.validate_python(found.get("cleared", ()))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return ()
        times = [*(fault.at for fault in faults), *(one.at for one in cleared)]
        sound = is_as_written(content) and not any(isnan(at) for at in times)
        self._kept, self.cleared = (faults, cleared) if sound else ((), ())
        return self._kept

    def keep(self, faults: tuple[Fault, ...], cleared: tuple[Cleared, ...] = ()) -> None:
        """What a full folder has not taken is tried again with the next state."""
        if (faults, cleared) == (self._kept, self.cleared):
            return
        content = to_json({"faults": faults, "cleared": cleared}, inf_nan_mode="strings", indent=1)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, with_sum(content))
        except OSError:
            return
        self._kept, self.cleared = faults, cleared


def with_faults(
    saved: Saved | None, faults: tuple[Fault, ...], cleared: tuple[Cleared, ...] = ()
) -> Saved | None:
    """The state with the faults that it lost, and without those that it does not know to be cleared; where
    no state is left, one that knows nothing else."""
    if saved is None:
        boots = [*(one.boot for one in faults), *(one.boot for one in cleared)]
        return Saved(boot=boots[-1], faults=faults, cleared=cleared) if boots else None
    words = {(one.boot, one.gpu): one.at for one in cleared}
    kept = tuple(one for one in saved.faults if one.at > words.get((one.boot, one.gpu), float("-inf")))
    known = {(one.boot, one.gpu, one.code) for one in kept}
    lost = tuple(one for one in faults if (one.boot, one.gpu, one.code) not in known)
    unheard = tuple(one for one in cleared if one not in saved.cleared)
    if not lost and not unheard:
        return saved
    return replace(saved, faults=(*kept, *lost), cleared=(*saved.cleared, *unheard))
