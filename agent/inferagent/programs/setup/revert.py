"""Taking back one's own change from a value that others may have changed since: a three-way comparison.

`before` and `after` are what the change replaced and what it wrote, `current` what stands there now. What
nobody touched goes back exactly; of what others touched only our part is removed.
"""

from typing import Any, Final


class _Missing:
    """A key that was not there."""


MISSING: Final = _Missing()
IDENTITY = ("address", "hostname", "path")  # of endpoints in a pool, of rules in an ingress


def revert(current: Any, before: Any, after: Any) -> Any:
    """The value to put there, MISSING for a key to be removed."""
    if current in (after, before):
        return before
    if isinstance(current, dict) and isinstance(after, dict):
        return _revert_table(current, before, after)
    if isinstance(current, list) and isinstance(after, list):
        return _revert_list(current, before if isinstance(before, list) else [], after)
    return current


def _revert_table(current: dict[str, Any], before: Any, after: dict[str, Any]) -> Any:
    known = before if isinstance(before, dict) else {}
    result = dict(current)
    for key in {**after, **known}:
        value = revert(current.get(key, MISSING), known.get(key, MISSING), after.get(key, MISSING))
        result.pop(key, None)
        if value is not MISSING:
            result[key] = value
    return before if not result and not isinstance(before, dict) else result


def _revert_list(current: list[Any], before: list[Any], after: list[Any]) -> list[Any]:
    """Our own entries leave, those that we removed or changed come back, the others stay in their order."""
    old = {_identity(entry): entry for entry in before}
    new = {_identity(entry): entry for entry in after}
    kept = []
    for entry in current:
        key = _identity(entry)
        if key in old:
            kept.append(old[key] if entry == new.get(key) else entry)
        elif key not in new:
            kept.append(entry)
    here = {_identity(entry) for entry in current}
    return kept + [entry for key, entry in old.items() if key not in here and key not in new]


def _identity(entry: Any) -> Any:
    if isinstance(entry, dict):
        return tuple(str(entry.get(key, "")) for key in IDENTITY)
    return entry
