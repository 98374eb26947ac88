"""What the watch of a systemd unit leaves in run/units/NAME-unit.json, so that the next agent knows it too.

systemd forgets a unit that is stopped and that nothing refers to: how it ended, and that it ever ran.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from inferagent.adapters.files import why, write_whole
from inferagent.ports import PortError


class By(StrEnum):
    """Who stopped a unit that rests."""

    NOBODY = ""
    US = "us"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Record:
    """Times are boot-clock seconds of boot `boot`. `counted`: how much of NRestarts is in `own_restarts`."""

    boot: str
    unit: str
    seen: bool = False  # the unit was looked at in this boot
    invocation: str = ""
    main: int = 0
    since: float = 0.0
    counted: int = 0
    own_restarts: tuple[float, ...] = ()
    stopped: By = By.NOBODY
    exit: str = ""


_RECORD = TypeAdapter(Record)


def load(path: Path, boot: str, unit: str) -> Record:
    """An empty record when there is none of this boot and unit, or none that can be read."""
    try:
        record = _RECORD.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return Record(boot, unit)
    return record if (record.boot, record.unit) == (boot, unit) else Record(boot, unit)


def save(path: Path, record: Record) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, to_json(replace(record, seen=True), indent=1))
    except OSError as error:
        raise PortError(f"cannot write {path}: {why(error)}") from error
