"""Ways to spoil what is valid: bytes, lines of a text, and the structure of a JSON value."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

# Numbers, texts and shapes that readers trip over.
NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2, -0.0, 0.5, 1e-9, 255, 256, 65536, 2**31, 2**53 + 1, 2**63, 10**19, -(10**19),
    1e308, -1e308, 1e22, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip
TEXTS: tuple[str, ...] = (
    "", " ", "0", "1", "true", "false", "null", "None", "NaN", "Infinity", "-Infinity", "-1", "1_0", "٣",
    "\0", "\n", "\r\n", "\t", "\x1b[2J", "\u202e", "é", "ﬃ", "😀", "%s%n", "../../x", "a" * 300,
    "1e5", "0x10", "on", "off", "10s", "{}", "[]", "<html>", "inferagent machine= serves=",
)  # fmt: skip
SHAPES: tuple[Any, ...] = (None, True, False, [], {}, [None], [[]], {"": None}, [1, "a"], {"a": {"b": []}})


def odd_value(random: Random) -> Any:
    return deepcopy(random.choice(random.choice((NUMBERS, TEXTS, SHAPES))))


# bytes


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _flip(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data)) if data else 0
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _insert(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    noise = random.choice((b"\0", b"\r", b"\n", b"\xff", b"\xef\xbb\xbf", b'"', b"{", b"]", b"#", b"=", b"9"))
    return data[:at] + noise * random.choice((1, 1, 1, 2, 50)) + data[at:]


def _drop(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.choice((1, 1, 2, 8, 60)) :]


def _double(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    size = random.choice((1, 4, 30, 200))
    return data[:at] + data[at : at + size] * 2 + data[at + size :]


def _noise(random: Random, data: bytes) -> bytes:
    return random.randbytes(random.choice((0, 1, 20, 200)))


def _recode(random: Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig")))


BYTES: tuple[Callable[[Random, bytes], bytes], ...] = (_cut, _cut, _flip, _flip, _insert, _drop, _double)


def spoil_bytes(random: Random, data: bytes) -> bytes:
    if random.random() < 0.03:
        return random.choice((_noise, _recode))(random, data)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        data = random.choice(BYTES)(random, data)
    return data


# lines


def spoil_lines(random: Random, text: str) -> str:
    """Lines dropped, doubled, swapped, joined, and other ends of line."""
    lines = text.split("\n")
    for _ in range(random.choice((1, 1, 2, 4))):
        at, other = random.randrange(len(lines)), random.randrange(len(lines))
        match random.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(other, lines[at])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at : at + 2] = [random.choice(("", " ")).join(lines[at : at + 2])]
            case 4:
                random.shuffle(lines)
            case _:
                lines[at] = _spoil_number(random, lines[at])
        lines = lines or [""]
    return random.choice(("\n", "\n", "\n", "\n", "\r\n", "\n\n")).join(lines)


def _spoil_number(random: Random, line: str) -> str:
    places = list(re.finditer(r"-?\d+(?:\.\d+)?", line))
    if not places:
        return line + random.choice(("x", " ", "\0", "#"))
    found = random.choice(places)
    odd = random.choice((*map(str, NUMBERS), *TEXTS[:16], "1" * 400, "9" * 5000))
    return line[: found.start()] + odd + line[found.end() :]


# JSON


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into the value."""
    found = [at]
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*at, key))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            found += places(element, (*at, index))
    return found


def spoil_json(random: Random, value: Any) -> Any:
    """A changed copy: types swapped, fields missing, doubled, misspelt, moved, wrapped."""
    value = deepcopy(value)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        value = _spoil_once(random, value)
    return value


def _spoil_once(random: Random, value: Any) -> Any:
    path = random.choice(places(value))
    if not path:
        return odd_value(random) if random.random() < 0.2 else value
    inside = value
    for key in path[:-1]:
        inside = inside[key]
    _change(random, inside, path[-1])
    return value


def _change(random: Random, inside: Any, key: Any) -> None:
    """One change to an object or a list at `key`."""
    old = inside[key]
    match random.randrange(8):
        case 0:
            del inside[key]
        case 1 if isinstance(inside, list):
            inside.insert(random.randrange(len(inside) + 1), deepcopy(old))
        case 1:
            inside[key + random.choice(("x", "_", "\0", ""))] = inside.pop(key)
        case 2:
            inside[key] = random.choice(([old], {"a": old}, str(old), [old, old]))
        case 3 if isinstance(old, bool):
            inside[key] = not old
        case 3 if isinstance(old, int | float):
            inside[key] = random.choice((-old, old + 1, old * 1000, old / 3, f"{old}"))
        case 3 if isinstance(old, str):
            inside[key] = random.choice((old + "x", old[:-1], old.upper(), f" {old} "))
        case _:
            inside[key] = odd_value(random)


def dumps(random: Random, value: Any) -> bytes:
    """JSON text as writers make it: compact, indented, escaped or not."""
    text = json.dumps(value, indent=random.choice((None, None, 1)), ensure_ascii=random.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def latin(data: bytes) -> str:
    """Bytes as a text that JSON can hold."""
    return data.decode("latin-1")


def raw(text: str) -> bytes:
    return text.encode("latin-1")
