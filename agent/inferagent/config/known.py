"""The keys that exist, an example for each, and the nearest one to a misspelt key."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from inferagent.config.errors import KeyPath, dotted
from inferagent.config.fragments import shipped_text
from inferagent.config.kinds import Choice, Gpus, shown
from inferagent.config.settings import Settings

Names = tuple[str, ...]
LISTS = ("engine", "check")  # tables that may stand more than once
_COMMENTED = re.compile(r"^#(?=[a-z\[])", re.MULTILINE)


@cache
def known_keys() -> dict[Names, FieldInfo]:
    """Every table and key by its names, list indexes left out, in the order of the schema."""
    return dict(_walk(Settings, ()))


def _walk(model: type[BaseModel], at: Names) -> Iterator[tuple[Names, FieldInfo]]:
    for name, info in model.model_fields.items():
        yield (*at, name), info
        inner = table_of(info)
        if inner is not None:
            yield from _walk(inner, (*at, name))


def table_of(info: FieldInfo) -> type[BaseModel] | None:
    """The model where the key is a table or a list of tables, None where it is a value."""
    for candidate in (info.annotation, *get_args(info.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def names_of(path: KeyPath) -> Names:
    """The path without list indexes."""
    return tuple(part for part in path if isinstance(part, str))


def nearest_key(path: KeyPath) -> str:
    """The most similar key of the same table, else of any table; "" when nothing is similar."""
    names = names_of(path)
    around, last = names[:-1], names[-1].lower().replace("-", "_")
    siblings = {key[-1]: key for key in known_keys() if key[:-1] == around}
    everywhere = {key[-1]: key for key in reversed(known_keys())}
    for pool in (siblings, everywhere):
        close = difflib.get_close_matches(last, list(pool), n=1, cutoff=0.6)
        if close:
            found = pool[close[0]]
            return dotted((*path[:-1], found[-1]) if found[:-1] == around else found)
    return ""


def table_with(path: KeyPath) -> Names | None:
    """The one table, () for the top, that has a key of exactly this name; None where none or several do, or
    the key's own table has one that is similar."""
    names = names_of(path)
    own = [key[-1] for key in known_keys() if key[:-1] == names[:-1]]
    homes = [
        key[:-1] for key, info in known_keys().items() if key[-1] == names[-1] and table_of(info) is None
    ]
    if () in homes:
        return ()
    if len(homes) != 1 or difflib.get_close_matches(names[-1], own, n=1, cutoff=0.6):
        return None
    return homes[0]


def table_line(names: Names) -> str:
    """How the table's header is written."""
    return f"[[{names[0]}]]" if names[0] in LISTS else f"[{dotted(names)}]"


@cache
def examples() -> dict[Names, object]:
    """A value for each key, as the shipped defaults file shows it (examples in comments included)."""
    document = tomllib.loads(_COMMENTED.sub("", shipped_text()))
    return {names: found for names in known_keys() if (found := _find(document, names)) is not None}


def _find(document: object, names: Names) -> object:
    for name in names:
        if isinstance(document, list):
            document = document[0]
        if not isinstance(document, dict) or name not in document:
            return None
        document = document[name]
    return document


def spell(value: object) -> str:
    """The value in TOML, on one line."""
    match value:
        case list():
            return "[" + ", ".join(spell(element) for element in value) + "]"
        case dict():
            inside = ", ".join(f"{dotted((key,))} = {spell(element)}" for key, element in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return shown(value)


def gpu_list(written: object) -> list[int] | None:
    """The list that a text such as "0,1" means."""
    if isinstance(written, str) and re.fullmatch(r" *[0-9]{1,3}( *, *[0-9]{1,3})* *", written, re.ASCII):
        return [int(number) for number in written.split(",")]
    return None


def example_line(path: KeyPath, written: object = None) -> str:
    """What to write for this key, ready to paste under its table; near to what was written, if a word was."""
    names = names_of(path)
    info = known_keys().get(names)
    if info is not None and table_of(info) is not None:
        return f"[[{names[-1]}]]" if names[0] in LISTS else f"[{dotted(names)}]"
    choices = next((kind.choices() for kind in info.metadata if isinstance(kind, Choice)), ()) if info else ()
    close = difflib.get_close_matches(written, choices, n=1, cutoff=0.4) if isinstance(written, str) else ()
    gpus = gpu_list(written) if info and any(isinstance(kind, Gpus) for kind in info.metadata) else None
    value = close[0] if close else gpus or examples().get(names, "")
    return f"{dotted(names[-1:])} = {spell(value)}"
