"""What a value may be: one small class a kind, with its limits, so that a schema line says all about a key.

Each `parse` returns the ready value or raises ValueError that reads "must be …"; pydantic calls it.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic_core import CoreSchema, core_schema

from inferagent.config.durations import format_duration, parse_duration

LONGEST_SHOWN = 32  # characters: longer texts may be secrets put in the wrong place
LONGEST_BITS = 100


def shown(value: object) -> str:
    """The value as TOML would spell it; long texts only by their length."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() if len(value) > LONGEST_SHOWN or not value.isprintable():
            return f"a text of {len(value)} characters"
        case str():
            return f'"{value}"'
        case dict():
            return "a table"
        case list():
            return "a list"
        case int() if value.bit_length() > LONGEST_BITS:
            return "a huge number"
        case _:
            return str(value)


_PLAIN = r"[!-~]+"  # printable ASCII without a blank


class Kind:
    """Base: hands `parse` to pydantic."""

    words: ClassVar[str] = "a value"

    def parse(self, value: object) -> Any:
        """The value, ready to use."""
        raise NotImplementedError

    def wrong(self, value: object) -> ValueError:
        """The refusal for a value of the wrong kind."""
        return ValueError(f"must be {self.describe()}, not {shown(value)}")

    def describe(self) -> str:
        """What is asked for, in words that follow "must be"."""
        return self.words

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)


@dataclass(frozen=True)
class Duration(Kind):
    """Seconds between `low` and `high`; with `off`, also "off", which is None."""

    low: float
    high: float
    off: bool = False

    def describe(self) -> str:
        return 'a duration such as "10s", "500ms", "2m" or "1h"' + (', or "off"' if self.off else "")

    def parse(self, value: object) -> float | None:
        if self.off and value == "off":
            return None
        if not isinstance(value, str):
            raise self.wrong(value)
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            raise self.wrong(value) from error
        if not self.low <= seconds <= self.high:
            limits = f'"{format_duration(self.low)}" and "{format_duration(self.high)}"'
            raise ValueError(f"must be between {limits}, not {shown(value)}")
        return seconds


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number within limits."""

    low: int
    high: int

    def describe(self) -> str:
        return f"a whole number between {self.low} and {self.high}"

    def parse(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise self.wrong(value)
        return value


@dataclass(frozen=True)
class Flag(Kind):
    """true or false."""

    words: ClassVar[str] = "true or false"

    def parse(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(value)
        return value


@dataclass(frozen=True)
class Choice(Kind):
    """One word of a StrEnum."""

    options: type

    def choices(self) -> tuple[str, ...]:
        return tuple(str(option) for option in self.options)  # type: ignore[attr-defined]

    def describe(self) -> str:
        return "one of " + ", ".join(f'"{choice}"' for choice in self.choices())

    def parse(self, value: object) -> Any:
        if not isinstance(value, str) or value not in self.choices():
            raise self.wrong(value)
        return self.options(value)


@dataclass(frozen=True)
class Text(Kind):
    """A text that matches a pattern; `asked` describes it."""

    pattern: str
    asked: str

    def describe(self) -> str:
        return self.asked

    def parse(self, value: object) -> str:
        if not isinstance(value, str) or re.fullmatch(self.pattern, value) is None:
            raise self.wrong(value)
        return value


@dataclass(frozen=True)
class Name(Text):
    """The same; an empty one is the machine's own host name, up to its first dot."""

    def parse(self, value: object) -> str:
        return super().parse(value) or socket.gethostname().partition(".")[0]


@dataclass(frozen=True)
class Url(Kind):
    """scheme://host[:port][/path]. Without `path`, the bare address of a server."""

    schemes: tuple[str, ...]
    path: bool = False

    def describe(self) -> str:
        schemes = " or ".join(f"{scheme}://" for scheme in self.schemes)
        return f"a URL that begins with {schemes}" + ("" if self.path else " and ends after the port")

    def parse(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.wrong(value)
        try:
            parts = urlsplit(value)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise self.wrong(value) from error
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not carry a user or a password")
        plain = re.fullmatch(_PLAIN, value) is not None and parts.scheme in self.schemes and port != 0
        shape = re.escape(f"[{host}]" if ":" in host else host) + "(:[0-9]+)?"
        plain = plain and is_host(host) and re.fullmatch(shape, parts.netloc.lower()) is not None
        if not plain or parts.query or parts.fragment or (not self.path and parts.path not in ("", "/")):
            raise self.wrong(value)
        refuse_wildcard(host)
        return value.rstrip("/")


@dataclass(frozen=True)
class Address(Kind):
    """host:port; an IPv6 host keeps its brackets, so that the two can be joined again."""

    words: ClassVar[str] = 'an address such as "127.0.0.1:20241"'

    def parse(self, value: object) -> tuple[str, int]:
        if not isinstance(value, str):
            raise self.wrong(value)
        found = re.fullmatch(r"\[([0-9a-fA-F:.]+)\]:([0-9]{1,5})|([A-Za-z0-9.-]+):([0-9]{1,5})", value)
        host, port = (found[1] or found[3], int(found[2] or found[4])) if found else ("", 0)
        if not is_host(host) or not 1 <= port <= 65535:
            raise self.wrong(value)
        refuse_wildcard(host)
        return (f"[{host}]" if ":" in host else host), port


@dataclass(frozen=True)
class Folder(Kind):
    """An absolute path."""

    words: ClassVar[str] = 'an absolute path such as "/var/lib/inferagent"'

    def parse(self, value: object) -> Path:
        if not isinstance(value, str) or not value.startswith("/") or not value.isprintable():
            raise self.wrong(value)
        return Path(value)


@dataclass(frozen=True)
class Argv(Kind):
    """A command: its program and arguments, each a text of its own."""

    words: ClassVar[str] = 'a list of texts such as ["program", "--option"]'

    def parse(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or not all(isinstance(part, str) for part in value):
            raise self.wrong(value)
        if not value[0] or any("\0" in part for part in value):
            raise self.wrong(value)
        return tuple(value)


@dataclass(frozen=True)
class Pairs(Kind):
    """A table of texts, `least` of them at least; as `variables`, with names that a process can be given."""

    least: int
    asked: str
    variables: bool = False

    def describe(self) -> str:
        return self.asked

    def parse(self, value: object) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, dict) or len(value) < self.least:
            raise self.wrong(value)
        for name, text in value.items():
            if not name or not isinstance(text, str) or "\0" in text:
                raise ValueError(f'must be {self.asked}: "{name}" is {shown(text)}')
            if self.variables and re.search("[=\0]", name):
                raise ValueError(f"must be {self.asked}: {shown(name)} cannot be the name of a variable")
        return tuple(value.items())


@dataclass(frozen=True)
class Gpus(Kind):
    """ "all", or the indexes of the GPUs that the engine uses."""

    words: ClassVar[str] = '"all" or a list of GPU numbers such as [0, 1]'

    def parse(self, value: object) -> tuple[int, ...] | None:
        if value == "all":
            return None
        if not isinstance(value, list) or not all(_is_gpu_number(number) for number in value):
            raise self.wrong(value)
        if len(set(value)) != len(value):
            raise ValueError("must not name a GPU twice")
        return tuple(value)


def _is_gpu_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 256


def is_host(text: str) -> bool:
    """A name or an address that HTTP clients take; IPv6 without its brackets."""
    try:
        if ":" in text:
            return ipaddress.IPv6Address(text).scope_id is None
        if re.fullmatch(r"[0-9.]+", text):  # an address, or nothing
            return ipaddress.IPv4Address(text).version == 4
        return re.fullmatch(r"[A-Za-z0-9_.-]+", text) is not None and bool(text.encode().decode("idna"))
    except ValueError:  # an address or a name in punycode that is none
        return False


def refuse_wildcard(host: str) -> None:
    """ValueError for 0.0.0.0 and ::, which programs listen on but nobody can call."""
    try:
        wildcard = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return
    if wildcard:
        raise ValueError(f"must name an address that can be called, not {host}: write 127.0.0.1")
