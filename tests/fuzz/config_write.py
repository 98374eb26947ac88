"""The same configuration written in the many styles that TOML has."""

import json
from random import Random
from typing import Any


def write(random: Random, found: dict[str, Any]) -> str:
    """TOML in one of its many styles."""
    lines: list[str] = []
    rest = {key: value for key, value in found.items() if not isinstance(value, dict) and not _tables(value)}
    for key, value in rest.items():
        lines.append(
            f"{_key(random, key)}{_gap(random)}={_gap(random)}{_value(random, value)}{_comment(random)}"
        )
    tables = [(key, value) for key, value in found.items() if key not in rest]
    if random.random() < 0.3:
        random.shuffle(tables)
    for key, value in tables:
        for table in value if isinstance(value, list) else [value]:
            header = (
                f"[[{_key(random, key)}]]"
                if isinstance(value, list)
                else f"[{_gap(random)}{_key(random, key)}]"
            )
            lines += ["", header + _comment(random), *_pairs(random, table)]
    return random.choice(("\n", "\n", "\n", "\r\n")).join(lines) + random.choice(("\n", "", "\n\n"))


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _pairs(random: Random, table: dict[str, Any]) -> list[str]:
    lines = []
    for key, value in table.items():
        if isinstance(value, dict) and value and random.random() < 0.3:
            for name, inside in value.items():
                lines.append(f"{_key(random, key)} . {_key(random, name)} = {_value(random, inside)}")
        else:
            lines.append(
                f"{_key(random, key)}{_gap(random)}={_gap(random)}{_value(random, value)}{_comment(random)}"
            )
    return lines


def _key(random: Random, key: str) -> str:
    bare = key and key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare and random.random() < 0.9 else _basic(key)


def _gap(random: Random) -> str:
    return random.choice((" ", " ", "", "\t"))


def _comment(random: Random) -> str:
    return random.choice(("", "", "", "", ' # "]}', " #", "# ü"))


def _basic(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(random: Random, value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(random, value)
        case dict():
            return "{" + ", ".join(f"{_key(random, k)} = {_value(random, v)}" for k, v in value.items()) + "}"
        case list():
            inside = random.choice((", ", ",", ",\n  ", " , # no\n")).join(
                _value(random, part) for part in value
            )
            return f"[{inside}{',' if value and random.random() < 0.2 else ''}]"
        case int():
            return hex(value) if value > 10**20 else str(value)
        case None:
            return random.choice(("1979-05-27T07:32:00Z", "07:32:00", "1979-05-27", "nan", "-inf", "0o7"))
        case _:
            return str(value)


def _text(random: Random, text: str) -> str:
    """Basic, literal, with line breaks, escaped: the same text."""
    plain = text.isprintable() and "'" not in text
    match random.randrange(12):
        case 0 if plain:
            return f"'{text}'"
        case 1 if plain:
            return f"'''{text}'''"
        case 2:
            return f'""{_basic(text)}""'
        case 3:
            return f'"""\n{_basic(text)[1:-1]}"""'
        case 4 if text.isascii():
            return '"' + "".join(f"\\u{ord(char):04x}" for char in text) + '"'
        case _:
            return _basic(text)
