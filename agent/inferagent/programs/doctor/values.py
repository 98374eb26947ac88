"""Values out of answers that may hold anything: what does not fit is empty, never an error."""

from typing import Any

Object = dict[str, Any]


def objects(value: object) -> tuple[Object, ...]:
    """The objects of what may be a list."""
    return tuple(entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else ()


def mapping(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def texts(value: object) -> tuple[str, ...]:
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def text(found: Object, key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def whole(found: Object, key: str, default: int = 0) -> int:
    value = found.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def listed(names: "tuple[str, ...] | list[str]") -> str:
    """a, b and c."""
    *first, last = names or ("none",)
    return f"{', '.join(first)} and {last}" if first else last
