"""What real systemds told of a unit, told again: sequences recorded on booted hosts, tests/fixtures/systemd.

Each row is a moment in milliseconds and the properties that had changed, by reading or by signal.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from inferagent.adapters.units.systemd_judge import Judge
from inferagent.adapters.units.systemd_properties import NAMES, Properties, merge
from inferagent.adapters.units.systemd_record import Record
from inferagent.model.unit import Unit, UnitState

FOLDER = Path(__file__).parents[3] / "fixtures" / "systemd"
VERSIONS = ("252", "257")
BEGAN = 30_000.0  # boot-clock seconds


@cache
def _all(version: str) -> dict[str, list[Any]]:
    return json.loads((FOLDER / f"{version}.json").read_text())


def _on_the_bus(name: str, value: Any) -> Any:
    if name == "InvocationID":
        return bytes.fromhex(value)
    return [value, "/"] if name == "Job" else value


def told(before: Properties, changes: Mapping[str, Any]) -> Properties:
    for interface, name in NAMES:
        if name in changes:
            before = merge(before, interface, {name: _on_the_bus(name, changes[name])})
    return before


def sequence(version: str, scenario: str) -> Iterator[tuple[float, Properties]]:
    properties = Properties()
    for milliseconds, _, changes in _all(version)[scenario]:
        properties = told(properties, changes)
        yield BEGAN + milliseconds / 1000, properties


@dataclass
class Story:
    """A judge that is told sequences, and all that it said."""

    judge: Judge = field(default_factory=lambda: Judge(Record("boot", "x.service"), lambda: 0.0))
    units: list[Unit] = field(default_factory=list)
    now: float = BEGAN
    properties: Properties = field(default_factory=Properties)

    def see(self, at: float, properties: Properties) -> Unit:
        while self.judge.settles_at is not None and self.judge.settles_at <= at:
            self.units.append(self.judge.see(self.properties, self.judge.settles_at))
        self.now, self.properties = at, properties
        self.units.append(self.judge.see(properties, at))
        return self.last

    def tell(self, version: str, scenario: str, start: int = 0, end: int | None = None) -> "Story":
        for at, properties in list(sequence(version, scenario))[start:end]:
            self.see(at, properties)
        return self

    @property
    def last(self) -> Unit:
        return self.units[-1]

    @property
    def states(self) -> list[UnitState]:
        """Each once, in order."""
        found: list[UnitState] = []
        for unit in self.units:
            if not found or found[-1] is not unit.state:
                found.append(unit.state)
        return found
