"""The fault matrix as data: `table/*.toml`, one [[row]] for each fault, read and checked here."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

TABLE = Path(__file__).with_name("table")
Program = Literal["vllm", "ollama", "cloudflared"]


class Row(BaseModel):
    """One fault and what must follow. Times are seconds of the shortened clock that `stage.TIMING` says.

    fault: what is wrong · injected: how, for real · strike: the class in `faults/` that does it ·
    engine: which one the struck host runs · real: the programs that are the real ones in a real run, none:
    the row has no real form, and `why` says so · root: the codes that `status` may name as root cause (empty:
    none may be named) · also: codes that it may name besides, before or after · does: what the host must do
    (waits: it is out and must stay so; joins: it is out and must come in; either: the fault's own check says
    what must hold) · repair: the part that must have
    a new life afterwards; "none": no part may · bound: until the edge sends nothing more (leaves), until it
    serves (joins), or as long as is watched (stays, waits) · loses: which requests may fail (outage: nobody
    else could answer, so whatever began before it was back) · back: until it serves again, 0: it is not
    waited for · peers: other hosts of the endpoint.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$")
    group: Literal["vllm", "ollama", "connector", "api", "agent", "fleet"] = "vllm"
    fault: str
    injected: str
    strike: str
    engine: Literal["vllm", "ollama"] = "vllm"
    membership: Literal["own-pool", "pull", "replica"] = "own-pool"
    real: tuple[Program, ...] = ()
    why: str = ""
    root: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    does: Literal["leaves", "stays", "waits", "joins", "either"]
    repair: Literal["none", "engine", "connector", "any"] = "none"
    bound: float = Field(gt=0)
    back: float = Field(default=60.0, ge=0)
    loses: Literal["nothing", "in-flight", "outage"] = "nothing"
    peers: int = Field(default=1, ge=0, le=2)
    settings: dict[str, str | int] = {}

    @property
    def must_not_drain(self) -> bool:
        return self.does == "stays"


class TableError(Exception):
    """The table cannot be read; the text names file, row and what is wrong."""


def rows(folder: Path = TABLE) -> list[Row]:
    """Every row, in the order of files and lines. Raises TableError."""
    found: list[Row] = []
    for file in sorted(folder.glob("*.toml")):
        for number, fields in enumerate(tomllib.loads(file.read_text())["row"], 1):
            found.append(_row(file, number, fields))
    names = [row.name for row in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"cannot read the fault matrix: {', '.join(twice)} stands there twice")
    return found


def _row(file: Path, number: int, fields: dict[str, object]) -> Row:
    try:
        row = Row.model_validate({"group": file.stem, **fields})
    except ValidationError as error:
        raise TableError(f"cannot read row {number} of {file.name}: {error}") from None
    if not row.real and not row.why:
        raise TableError(f"cannot read row {row.name}: without real programs it needs a why")
    return row
