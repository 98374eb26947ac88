"""From a configuration folder to checked settings: fragments → input → settings, every error at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from inferagent.config.contradictions import Clash, contradictions
from inferagent.config.errors import ConfigError, KeyPath, Place, Problem, dotted
from inferagent.config.fragments import SHIPPED, Input, config_files, read_input
from inferagent.config.hygiene import CURE, secret_keys
from inferagent.config.known import (
    LISTS,
    example_line,
    known_keys,
    names_of,
    nearest_key,
    spell,
    table_line,
    table_of,
    table_with,
)
from inferagent.config.settings import Agent, Settings

MISSING = "is missing"
CONSEQUENCES = ("default_factory_not_called",)  # of a wrong key that a default is made from


@dataclass(frozen=True, slots=True)
class Effective:
    """One key as it counts: its value in TOML, and where it was written."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """`settings` is None while nobody has configured this host; `agent` (the folders) is always there."""

    folder: Path
    settings: Settings | None
    agent: Agent
    effective: tuple[Effective, ...]


def load(folder: Path) -> Loaded:
    """Read and check everything. ConfigError carries all that is wrong; a missing folder is no error."""
    given = read_input(folder)
    effective = tuple(_effective(given))
    if not config_files(folder):
        return Loaded(folder, None, Agent.model_validate(given.data["agent"]), effective)
    settings = check(given)
    return Loaded(folder, settings, settings.agent, effective)


def check(given: Input) -> Settings:
    """The settings of merged files, or ConfigError."""
    secrets = list(secret_keys(given.data))
    problems = [Problem(given.place(path), dotted(path), what, CURE) for path, what in secrets]
    refused = {path for path, _ in secrets}
    try:
        settings = Settings.model_validate(given.data)
    except ValidationError as error:
        wrong = [details for details in error.errors() if details["type"] not in CONSEQUENCES]
        found = [_problem(given, details) for details in wrong if details["loc"] not in refused]
        meant = {problem.nearest for problem in found}  # a misspelt key is not missing as well
        found = [problem for problem in found if problem.what != MISSING or problem.key not in meant]
        raise ConfigError(_sorted([*problems, *found])) from None
    problems.extend(_clash(given, clash) for clash in contradictions(settings))
    if problems:
        raise ConfigError(_sorted(problems))
    return settings


def _sorted(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.place.file, problem.place.line, problem.key)))


def _problem(given: Input, details: ErrorDetails) -> Problem:
    """One of pydantic's errors in our words."""
    path: KeyPath = details["loc"]
    place, key = given.place(path), dotted(path)
    match details["type"]:
        case "extra_forbidden":
            return _unknown(place, path)
        case "missing":
            return Problem(place, key, MISSING, _add(path))
        case "value_error":
            return Problem(
                place, key, str(details["ctx"]["error"]), f"write {example_line(path, details['input'])}"
            )
        case "tuple_type":
            return Problem(place, key, "must be a list of tables", f"write [[{key}]] in two brackets")
        case _:
            return Problem(place, key, "must be a table", f"write {example_line(path)} on a line of its own")


def _unknown(place: Place, path: KeyPath) -> Problem:
    elsewhere = table_with(path)
    if elsewhere is not None:
        where = f"under {table_line(elsewhere)}" if elsewhere else "above the first [table] of the file"
        key = dotted((*elsewhere, path[-1]))
        return Problem(place, dotted(path), "stands in the wrong table", f"move it {where}", key)
    nearest = nearest_key(path)
    cure = f"write {nearest} instead, or delete it" if nearest else "delete it"
    return Problem(place, dotted(path), "is no key of inferagent", cure, nearest)


def _add(path: KeyPath) -> str:
    line = example_line(path)
    info = known_keys().get(names_of(path))
    if len(path) == 1 or (info is not None and table_of(info) is not None):
        return f"add {line}, or let sudo inferagent setup write it"
    return f"add {line} under {table_line(names_of(path[:-1]))}"


def _clash(given: Input, clash: Clash) -> Problem:
    """The place is the first of the keys that somebody wrote here; the message names the others."""
    written = [path for path in clash.keys if not given.shipped(path)]
    key = next(iter(written), clash.keys[0])
    others = [f"{dotted(path)} is at {given.place(path)}" for path in written if path != key]
    what = f"{clash.what} ({'; '.join(others)})" if others else clash.what
    return Problem(given.place(key), dotted(key), what, clash.cure)


def _effective(given: Input) -> Iterator[Effective]:
    yield from _keys(given, given.data, ())


def _keys(given: Input, data: object, at: KeyPath) -> Iterator[Effective]:
    if isinstance(data, dict) and (not at or _is_table(at)):
        for key, value in data.items():
            yield from _keys(given, value, (*at, key))
    elif isinstance(data, list) and at in [(name,) for name in LISTS]:
        for index, element in enumerate(data):
            yield from _keys(given, element, (*at, index))
    else:
        origin = SHIPPED if given.shipped(at) else str(given.place(at))
        yield Effective(dotted(at), _visible(at, data), origin)


def _is_table(path: KeyPath) -> bool:
    info = known_keys().get(names_of(path))
    return info is not None and table_of(info) is not None


def _visible(path: KeyPath, value: object) -> str:
    """Values of an environment stay hidden: people do put secrets there, under any name."""
    if path[-1] == "environment" and isinstance(value, dict):
        return spell(dict.fromkeys(value, "hidden"))
    return spell(value)
