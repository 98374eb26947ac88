"""Where parts are installed from: sources.toml as it is shipped, and what install.toml says differently."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from inferagent.config.blank import Blank
from inferagent.config.errors import ConfigError, Problem, dotted
from inferagent.config.fragments import SHIPPED, Fragment, Input, parse_fragment, read_fragment
from inferagent.config.kinds import Choice, Duration, Flag, Pairs, Text, Url, Whole
from inferagent.config.present import mode_of
from inferagent.config.settings import Table
from inferagent.config.texts import Number, Texts

FILE = "install.toml"
EXPLAINED = Path("/usr/share/inferagent") / FILE  # the packages bring it: every key, switched off
GIVEN = "the command line"
NAMES = ("cloudflared", "ollama", "vllm")
VERSION = r"[0-9A-Za-z][0-9A-Za-z.+~:_-]{0,60}"
NUMBERED = r"[0-9][0-9A-Za-z.+~:_-]{0,60}"
SHA256 = r"[0-9a-fA-F]{64}"
DAY = 86400.0
_SHIPPED = Path(__file__).with_name("sources.toml")

_VERSION = Text(f"(?:{NUMBERED})?", 'a version such as "1.2.3", or ""')
_WORD = Text(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,60}", "one word")
_DOTTED = Text(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,4}", 'numbers with dots such as "580.65.06"')
_FILE = Text(r"(?:/[!-~]+)?", "an absolute path without blanks, or an empty text")
_IMAGE = Text(
    r"(?:[a-z0-9][A-Za-z0-9._/:-]{0,200}@sha256:[0-9a-f]{64})?", "an image by its digest, NAME@sha256:HEX"
)
_URL = Url(("https", "http"), path=True)
_INDEX = Blank(_URL)
_SPACE = Whole(0, 2**50)


class Kept(Url):
    """A URL whose content nothing but the way there proves."""

    def parse(self, value: object) -> str:
        found = super().parse(value)
        parts = urlsplit(found)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("must begin with https://: nothing else proves what comes from there")
        return found


class From(StrEnum):
    PACKAGES = "packages"
    RELEASE = "release"


class VllmFrom(StrEnum):
    VENV = "venv"
    IMAGE = "image"


class Cloudflared(Table):
    source: Annotated[From, Choice(From)]
    repository: Annotated[str, _URL]
    suite: Annotated[str, _WORD]
    component: Annotated[str, _WORD]
    key: Annotated[str, _URL]
    fingerprints: Annotated[tuple[str, ...], Texts(r"[0-9A-Fa-f ]{40,50}", "fingerprints of 40 hex digits")]
    index_signed: Annotated[bool, Flag()]
    releases: Annotated[str, _URL]
    version: Annotated[str, _VERSION]
    sha256: Annotated[tuple[tuple[str, str], ...], Pairs(0, 'a table such as { amd64 = "HEX" }')]
    space: Annotated[int, _SPACE]


class Ollama(Table):
    releases: Annotated[str, Kept(("https", "http"), path=True)]
    sums: Annotated[str, _WORD]
    version: Annotated[str, _VERSION]
    extras: Annotated[tuple[str, ...], Texts(r"[a-z0-9]{1,20}", "names of archives")]
    unpacked: Annotated[float, Number(1.0, 100.0)]


class Driver(Table):
    """What a build from `version` on needs."""

    version: Annotated[str, _DOTTED]
    cuda: Annotated[str, _DOTTED]
    least: Annotated[str, _DOTTED]


class Vllm(Table):
    source: Annotated[VllmFrom, Choice(VllmFrom)]
    package: Annotated[str, _WORD]
    version: Annotated[str, _VERSION]
    python: Annotated[tuple[str, ...], Texts(r"3\.[0-9]{1,2}", "versions of Python, the oldest first", 2)]
    index: Annotated[str, _INDEX]
    arguments: Annotated[tuple[str, ...], Texts(r"[!-~]{1,200}", "arguments without blanks")]
    requirements: Annotated[str, _FILE]
    image: Annotated[str, _IMAGE]
    space: Annotated[int, _SPACE]
    driver: tuple[Driver, ...] = ()


class Patience(Table):
    """Seconds."""

    connect: Annotated[float, Duration(0.1, 600)]
    silence: Annotated[float, Duration(0.1, 3600)]
    tries: Annotated[int, Whole(1, 100)]
    pause: Annotated[float, Duration(0.01, 600)]
    download: Annotated[float, Duration(0.1, DAY)]
    packages: Annotated[float, Duration(0.1, DAY)]
    venv: Annotated[float, Duration(0.1, DAY)]
    image: Annotated[float, Duration(0.1, DAY)]
    program: Annotated[float, Duration(0.1, DAY)]
    leave: Annotated[float, Duration(0.1, DAY)]
    back: Annotated[float, Duration(0.1, DAY)] = Field(alias="return")


class Sources(Table):
    cloudflared: Cloudflared
    ollama: Ollama
    vllm: Vllm
    patience: Patience


def shipped_sources() -> str:
    return _SHIPPED.read_text("utf-8")


def read_sources(folder: Path, given: Mapping[str, object] | None = None) -> Sources:
    """The shipped ones, install.toml in `folder` over them, `given` over both. ConfigError."""
    path = folder / FILE
    merged = Input(main=str(path))
    merged.add(parse_fragment(SHIPPED, shipped_sources()))
    if mode_of(path):
        merged.add(read_fragment(path))
    if given:
        merged.add(Fragment(GIVEN, given, {}))
    try:
        return Sources.model_validate(merged.data)
    except ValidationError as error:
        raise ConfigError(tuple(_problems(merged, error))) from None


def _problems(given: Input, error: ValidationError) -> list[Problem]:
    found = []
    for details in error.errors():
        path = details["loc"]
        match details["type"]:
            case "value_error":
                what = str(details["ctx"]["error"])
            case "extra_forbidden":
                what = f"is no key of {FILE}"
            case "missing":
                what = "is missing"
            case _:
                what = "must be a table"
        place = given.place(path)
        explained = EXPLAINED if EXPLAINED.exists() else _SHIPPED
        cure = f"the keys and what they mean: {explained}"
        found.append(Problem(place, dotted(path), what, cure))
    return found
