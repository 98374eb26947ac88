"""What is wrong with a configuration, so that a person can put it right: place, key, fault, nearest, cure."""

from dataclasses import dataclass

EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; `line` 0 means the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `key` is dotted ("engine[0].url"), "" where no key is to blame."""

    place: Place
    key: str
    what: str
    cure: str
    nearest: str = ""

    def __str__(self) -> str:
        key = f" {self.key}:" if self.key else ""
        nearest = f" (the nearest key is {self.nearest})" if self.nearest else ""
        return f"{self.place}:{key} {self.what}{nearest}\n    → {self.cure}"


class ConfigError(Exception):
    """The configuration cannot be used. Carries every problem found, in the order of the files.

    `unreadable`: nobody knows whether it is right, since the system does not let this user read it.
    """

    def __init__(self, problems: tuple[Problem, ...], *, unreadable: bool = False) -> None:
        self.unreadable = unreadable
        count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__("\n".join([f"cannot use the configuration: {count}", *map(str, problems)]))
        self.problems = problems


def dotted(path: KeyPath) -> str:
    """("engine", 0, "url") → "engine[0].url"; a name that needs quotes gets them."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if part and part.replace("_", "").replace("-", "").isalnum() else f'"{part}"'
            text += f".{name}" if text else name
    return text
