"""What a child unit leaves in run/units/NAME.json, so that the next agent finds its processes again."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from inferagent.adapters.files import why, write_whole
from inferagent.adapters.pids import Family
from inferagent.ports import PortError

KEPT_RESTARTS = 64


@dataclass(frozen=True, slots=True)
class Record:
    """All times are boot-clock seconds of boot `boot`.

    `wanted`: it runs, or is started again. `mark` without `main`: a start was begun, whose pid is not known.
    `past`: earlier lives of which processes may still run. `gave_up`: the start limit was hit.
    """

    boot: str
    wanted: bool = False
    mark: str = ""
    main: Family | None = None
    since: float = 0.0
    past: tuple[Family, ...] = ()
    starts: tuple[float, ...] = ()
    own_restarts: tuple[float, ...] = ()
    exit: str = ""
    gave_up: bool = False


_RECORD = TypeAdapter(Record)


def load(path: Path, boot: str) -> Record:
    """An empty record when there is none of this boot, or none that can be read."""
    try:
        record = _RECORD.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return Record(boot)
    return record if record.boot == boot else Record(boot)


def save(path: Path, record: Record) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, to_json(record, indent=1))
    except OSError as error:
        raise PortError(f"cannot write {path}: {why(error)}") from error
