"""A changed copy of a frozen value, or the value itself where nothing changes: most ticks change nothing.

A decision makes dozens of copies, and `dataclasses.replace`, through `__init__`, takes four times as long.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

__all__ = ["changed"]

Setter: TypeAlias = Callable[[object, object], None]
Slots: TypeAlias = tuple[dict[str, Setter], Callable[[object], tuple[object, ...]]]


class _Kinds(dict[type, Slots]):
    """Of each class: the setters of its slots, which frozen leaves open, and a reader of all its fields."""

    def __missing__(self, kind: type) -> Slots:
        names = [field.name for field in fields(kind)]
        setters = {name: getattr(kind, name).__set__ for name in names}
        self[kind] = setters, attrgetter(*names, "__class__")  # two names at least: it reads a tuple
        return self[kind]


_KINDS = _Kinds()


def _changed(value: Any, **new: Any) -> Any:
    """As `dataclasses.replace`, for dataclasses with slots; `__post_init__` does not run.

    TypeError for a name that is no field.
    """
    for name, field in new.items():
        old = getattr(value, name, _KINDS)
        if old is not field and old != field:
            return _copy(value, new)
    return value


def _copy(value: Any, new: dict[str, Any]) -> Any:
    kind = type(value)
    setters, read = _KINDS[kind]
    copy = object.__new__(kind)
    for setter, old in zip(setters.values(), read(value), strict=False):
        setter(copy, old)
    for name, field in new.items():
        if name not in setters:
            raise TypeError(f"cannot change {name}: {kind.__name__} has no such field")
        setters[name](copy, field)
    return copy


if TYPE_CHECKING:  # the checker knows the fields of `replace`
    changed = replace
else:
    changed = _changed
