"""A changed copy of a frozen value, or the value itself where nothing changes: most ticks change nothing."""

from dataclasses import replace
from typing import Any, TypeVar

T = TypeVar("T")


def changed(value: T, **fields: Any) -> T:
    """`dataclasses.replace`, without the copy when every field has that value already."""
    if all(getattr(value, name) == field for name, field in fields.items()):
        return value
    return replace(value, **fields)  # type: ignore[type-var]
