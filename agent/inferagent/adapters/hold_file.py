"""The operator's hold as a file of its own, on disk before `drain` answers.

hold.json in the state folder. Where that folder cannot be written, the hold is left in the runtime folder, so
that it lasts at least to the end of this boot.
"""

import json
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

from inferagent.adapters.disk import Disk
from inferagent.adapters.files import is_as_written, sync_folder, why, with_sum, write_whole
from inferagent.model.desired import Hold, Until
from inferagent.ports import PortError

_HOLD = TypeAdapter(Hold)
SCHEMA = 1


class HoldFile:
    """`problem` says what the last load found wrong ("" when nothing)."""

    def __init__(self, state: Path, run: Path) -> None:
        self._path = state / "hold.json"
        self._makeshift = run / "hold.json"
        self._disk = Disk("the hold")
        self.problem = ""

    def load(self) -> Hold | None:
        """The makeshift one first: it stands there only where a later word could not be written."""
        self.problem = ""
        makeshift = self._read(self._makeshift)
        hold = self._read(self._path) if makeshift is None or self.problem else None
        if hold:
            return replace(hold, durable=True)
        return replace(makeshift, durable=False) if makeshift else None

    def save(self, hold: Hold | None) -> None:
        """PortError when it is not on disk; the hold is then in the runtime folder, if that takes it."""
        try:
            self._disk.do(lambda: self._write(hold))
        except OSError as error:
            if hold is None:
                raise PortError(f"cannot end the hold in {self._path}: {why(error)}") from error
            raise PortError(
                f"cannot save the hold in {self._path}: {why(error)}{self._make_do(hold)}"
            ) from error

    def _write(self, hold: Hold | None) -> None:
        if hold is None:
            _remove(self._makeshift)
            _remove(self._path)
        else:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, _encode(hold), durable=True)
            _remove(self._makeshift)

    def _make_do(self, hold: Hold) -> str:
        try:
            self._makeshift.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._makeshift, _encode(hold), durable=True)
        except OSError as error:
            return f"; cannot save it in {self._makeshift} either: {why(error)}"
        return ""

    def _read(self, path: Path) -> Hold | None:
        """A file that is there but cannot be understood is still somebody's word: out until `resume`."""
        try:
            return _decode(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            self.problem = f"cannot read the hold {path}: {why(error)}"
        except (ValueError, TypeError, KeyError, RecursionError):
            self.problem = f"cannot understand the hold {path}"
        return Hold(wall="", reason=self.problem)


def _encode(hold: Hold) -> bytes:
    return with_sum(to_json({"schema": SCHEMA, "hold": hold}, indent=1))


def _decode(content: bytes) -> Hold:
    """ValueError, TypeError, KeyError or RecursionError for what is no hold as it was written."""
    hold = _HOLD.validate_python(json.loads(content)["hold"])
    deadline = 1.0 if hold.deadline is None else hold.deadline
    if not is_as_written(content) or not 0 < deadline < float("inf") or not _possible(hold.until):
        raise ValueError("it was changed since it was saved")
    return hold


def _possible(until: Until | None) -> bool:
    return until is None or (0 < until.longest < float("inf") and abs(until.at) < float("inf"))


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)
