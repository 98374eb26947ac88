"""The saved state as a file: atomic, durable, with its schema number; the generation before is kept.

state.json and state.previous.json in the state folder. What cannot be understood is set aside under a name of
its own, never overwritten. The hold is a file apart (hold_file.py); faults are kept twice (fault_file.py).
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from math import isnan
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from inferagent.adapters.disk import Disk
from inferagent.adapters.fault_file import FaultFile, with_faults
from inferagent.adapters.files import is_as_written, why, with_sum, write_whole
from inferagent.adapters.hold_file import HoldFile
from inferagent.model.desired import Hold
from inferagent.model.saved import SCHEMA, Memory, Saved
from inferagent.ports import PortError

_SAVED = TypeAdapter(Saved)
COUNTS = ("hold_off_level", "connector_restarts", "gpu_count")


class StateFolder:
    """The StatePort. `problem` says what the last load or hold found wrong ("" when nothing)."""

    def __init__(self, state: Path, run: Path) -> None:
        self._folder = state
        self._path = state / "state.json"
        self._previous = state / "state.previous.json"
        self._old = state / "state.old.json"
        self._hold = HoldFile(state, run)
        self._faults = FaultFile(run)
        self._disk = Disk("the state")
        self._written = b""
        self._problem = ""

    @property
    def problem(self) -> str:
        return "; ".join(text for text in (self._problem, self._hold.problem) if text)

    def load(self) -> Saved | None:
        self._problem = ""
        faults = self._faults.load()
        return with_faults(self._load(), faults, self._faults.cleared)

    def _load(self) -> Saved | None:
        saved = self._read(self._path)
        if saved:
            return saved
        for path in (self._old, self._previous):
            saved = self._read(path)
            if saved:
                return outdated(saved)
        return None

    def save(self, saved: Saved) -> None:
        """PortError too for a disk that does not answer: the agent goes on without it."""
        content = encode(saved)
        self._faults.keep(saved.faults, saved.cleared)
        try:
            self._disk.do(lambda: self._write(content))
        except OSError as error:
            self._disown()
            raise PortError(f"cannot save the state in {self._path}: {why(error)}") from error

    def _disown(self) -> None:
        """What is on disk is not how things are any more; a rename needs no room on a full disk."""
        with suppress(OSError):
            self._disk.do(self._rename)

    def _rename(self) -> None:
        self._path.replace(self._old)

    def load_hold(self) -> Hold | None:
        return self._hold.load()

    def save_hold(self, hold: Hold | None) -> None:
        self._hold.save(hold)

    def _write(self, content: bytes) -> None:
        if content == self._written and self._path.exists():
            return
        self._written = b""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._keep_generation()
        write_whole(self._path, content, durable=True)
        self._written = content

    def _read(self, path: Path) -> Saved | None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._say(f"cannot read {path}: {why(error)}")
            return None
        try:
            return decode(content)
        except ValueError as error:
            self._set_aside(path, content, str(error))
            return None

    def _set_aside(self, path: Path, content: bytes, reason: str) -> None:
        schema = _schema(content)
        label = f"schema{schema}" if schema and schema > SCHEMA else "damaged"
        aside = path.with_name(f"{path.stem}.{label}.json")
        try:
            path.replace(aside)
            self._say(f"cannot use {path}: {reason}; kept as {aside.name}")
        except OSError as error:
            self._say(f"cannot use {path}: {reason}; cannot set it aside: {why(error)}")

    def _say(self, text: str) -> None:
        self._problem = "; ".join(filter(None, (self._problem, text)))

    def _keep_generation(self) -> None:
        """A hard link first, so that state.json is there at every moment."""
        if not self._path.exists():
            return
        try:
            decode(self._path.read_bytes())
        except ValueError as error:
            self._set_aside(self._path, self._path.read_bytes(), str(error))
            if self._path.exists():
                raise PortError(f"cannot save the state in {self._path}: {error}") from error
            return
        aside = self._previous.with_name(f".{self._previous.name}.new")
        aside.unlink(missing_ok=True)
        os.link(self._path, aside)
        aside.replace(self._previous)


def outdated(saved: Saved) -> Saved:
    """An older generation: what it remembers of phase and pool does not count, and a pool that is found
    disabled may be so by a write of ours that it does not know."""
    return replace(saved, baseline=None, last_write=None, adopted=False, unanswered_at=saved.since)


def encode(saved: Saved) -> bytes:
    """JSON without the memory between ticks; infinities as strings, which JSON has no numbers for. Its sum is
    the last key."""
    lasting = replace(saved, schema=SCHEMA, memory=Memory())
    return with_sum(to_json(lasting, inf_nan_mode="strings", indent=1, exclude={"memory"}))


def decode(content: bytes) -> Saved:
    """ValueError with one short reason for bytes that are no saved state of a known schema."""
    schema = _schema(content)
    if schema is None:
        raise ValueError("it is not whole")
    if schema > SCHEMA:
        raise ValueError(f"its schema {schema} is newer than {SCHEMA}")
    try:
        saved = _SAVED.validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if not is_as_written(content):
        raise ValueError("its sum is wrong: it was changed since it was saved")
    impossible = [name for name, value in _numbers(saved) if isnan(value)]
    impossible += [name for name in COUNTS if getattr(saved, name) < 0]
    if impossible:
        raise ValueError(f"{impossible[0]}: no such number")
    return saved


def _numbers(value: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number inside, by the field that it stands in."""
    if isinstance(value, tuple):
        for element in value:
            yield from _numbers(element, name)
    elif isinstance(value, float):
        yield name, value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _numbers(getattr(value, field.name), field.name)


def _schema(content: bytes) -> int | None:
    try:
        schema = json.loads(content)["schema"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return schema if isinstance(schema, int) else None
