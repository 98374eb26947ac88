"""The shape of what a program says, and where two shapes differ: names, types, and values that are names.

A body's shape is a table from the path of each value to what stands there; the items of a list are one path.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Shape: TypeAlias = dict[str, set[str]]
# Values that say what a thing is: they belong to the shape.
TELLING = {
    "object", "type", "code", "param", "role", "finish_reason", "done", "done_reason", "status", "owned_by",
    "isConnected", "format",
}  # fmt: skip
# What is there in one answer and not in the next one of the same program.
HEADERS_LEFT_OUT = {"date", "connection", "keep-alive"}


def shape(body: Any) -> Shape:
    found: Shape = {}
    for path, kind in walk("", body):
        found.setdefault(path or ".", set()).add(kind)
    return found


def walk(path: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            yield path, "object"
            for key, inner in value.items():
                yield from walk(f"{path}.{key}", inner)
        case list():
            yield path, "list"
            keys = {key for inner in value if isinstance(inner, dict) for key in inner}
            for inner in value:
                yield from walk(f"{path}[]", inner)
                lacking = keys - inner.keys() if isinstance(inner, dict) else ()
                yield from ((f"{path}[].{key}", "nothing at times") for key in lacking)
        case _:
            yield path, scalar(path.rpartition(".")[2], value)


def scalar(key: str, value: Any) -> str:
    if key in TELLING and not isinstance(value, float):
        return f"= {value!r}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else "text"


def differences(wanted: Shape, found: Shape) -> list[str]:
    """`wanted` is the real program's, `found` the stand-in's."""
    told = []
    for path in sorted(wanted.keys() | found.keys()):
        real, own = wanted.get(path), found.get(path)
        if real is None:
            told.append(f"{path}: only the stand-in has it ({' or '.join(sorted(own or ()))})")
        elif own is None:
            told.append(f"{path}: the stand-in lacks it ({' or '.join(sorted(real))})")
        elif real != own:
            told.append(f"{path}: {' or '.join(sorted(real))}, the stand-in has {' or '.join(sorted(own))}")
    return told


def headers_shape(headers: Mapping[str, str]) -> Shape:
    """Their names, with the value where it says what the body is."""
    kept = {name.lower(): value for name, value in headers.items()}
    return {
        name: {value if name in ("content-type", "server", "vary", "allow", "transfer-encoding") else "there"}
        for name, value in kept.items()
        if name not in HEADERS_LEFT_OUT
    }


def metrics_shape(text: str) -> Shape:
    """Each family with its type, and each sample's name with its label keys."""
    found: Shape = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            found.setdefault(f"family {name}", set()).add(kind)
        elif line and not line.startswith("#"):
            name, keys = sample(line)
            found.setdefault(name, set()).add(" ".join(keys) or "no label")
    return found


def sample(line: str) -> tuple[str, list[str]]:
    """The name of a sample and its label keys in their order."""
    name, brace, rest = line.partition("{")
    if not brace:
        return line.split()[0], []
    keys, quoted, word, skip = [], False, "", False
    for letter in rest:
        if skip:
            skip = False
        elif quoted:
            quoted, skip = letter != '"', letter == "\\"
        elif letter == "}":
            break
        elif letter == '"':
            keys.append(word.strip(" ,="))
            quoted, word = True, ""
        else:
            word += letter
    return name, keys
