"""Two more kinds of values: a list of texts, each of one pattern, and a number that need not be whole."""

import re
from dataclasses import dataclass

from inferagent.config.kinds import Kind


@dataclass(frozen=True)
class Texts(Kind):
    """`exactly`: so many, where that is asked for."""

    pattern: str
    asked: str
    exactly: int | None = None

    def describe(self) -> str:
        many = "a list" if self.exactly is None else f"a list of {self.exactly}"
        return f"{many} of {self.asked}"

    def parse(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or (self.exactly is not None and len(value) != self.exactly):
            raise self.wrong(value)
        for part in value:
            if not isinstance(part, str) or re.fullmatch(self.pattern, part) is None:
                raise self.wrong(value)
        return tuple(value)


@dataclass(frozen=True)
class Number(Kind):
    """Within limits."""

    low: float
    high: float

    def describe(self) -> str:
        return f"a number between {self.low:g} and {self.high:g}"

    def parse(self, value: object) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not self.low <= value <= self.high:  # type: ignore[operator]
            raise self.wrong(value)
        return float(value)  # type: ignore[arg-type]
