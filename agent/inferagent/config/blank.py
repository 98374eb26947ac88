"""A key that may also stay blank: the empty text or list, which says that there is none."""

from dataclasses import dataclass
from typing import Any

from inferagent.config.kinds import Argv, Kind, Url


@dataclass(frozen=True)
class Blank(Kind):
    """Whatever `kind` takes, or a blank of the same sort."""

    kind: Argv | Url

    def describe(self) -> str:
        return f"{self.kind.describe()}, or {'[]' if isinstance(self.kind, Argv) else 'an empty text'}"

    def parse(self, value: object) -> Any:
        if isinstance(self.kind, Argv):
            return () if value == [] else self._parsed(value)
        return "" if value == "" else self._parsed(value)

    def _parsed(self, value: object) -> Any:
        try:
            return self.kind.parse(value)
        except ValueError as error:
            if str(error) == str(self.kind.wrong(value)):
                raise self.wrong(value) from None
            raise
