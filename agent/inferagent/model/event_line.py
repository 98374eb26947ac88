"""Events as lines of JSON: short, printable, never longer than a bound; read back field by field."""

import json
import math
from dataclasses import asdict, fields
from typing import Any

from inferagent.model.event import Episode, Event, EventKind, Evidence

SCHEMA = 1
LONGEST = 4096  # bytes of a line
_TEXT, _WORD = 240, 80  # characters


def encode(event: Event) -> bytes:
    """One line with its end; what is unknown is left out."""
    found: dict[str, object] = {
        "schema": SCHEMA,
        "wall": _cut(event.wall, _WORD),
        "boot": _cut(event.boot, _WORD),
        "at": _short(event.at),
        "kind": event.kind.value,
        "phase": event.phase,
        "label": event.label,
        "text": _cut(event.text, _TEXT),
        "cause": _cut(event.cause, _WORD),
        "why": _cut(event.why, _TEXT),
        "evidence": {name: _plain(value) for name, value in asdict(event.evidence).items() if _said(value)},
    }
    if event.episode is not None:
        found["episode"] = {name: _plain(value) for name, value in asdict(event.episode).items()}
    if event.unsaid:
        found["unsaid"] = event.unsaid
    text = json.dumps({key: value for key, value in found.items() if _said(value)}, ensure_ascii=False)
    return text.encode() + b"\n"


def decode(line: bytes) -> Event:
    """ValueError for what is no event of this schema; unknown fields are passed over."""
    try:
        found = json.loads(line)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise ValueError(f"it is no event of schema {SCHEMA}")
    return Event(
        wall=_text(found, "wall"),
        boot=_text(found, "boot"),
        at=_number(found.get("at")),
        kind=EventKind(_text(found, "kind")),
        text=_text(found, "text"),
        phase=_text(found, "phase"),
        label=_text(found, "label"),
        cause=_text(found, "cause"),
        why=_text(found, "why"),
        evidence=_evidence(found.get("evidence")),
        episode=_episode(found.get("episode")),
        unsaid=int(_number(found.get("unsaid", 0))),
    )


def _said(value: object) -> bool:
    """False and 0 are known, and said."""
    return value is not None and value not in ("", {})


def _plain(value: object) -> object:
    if isinstance(value, str):
        return _cut(value, _WORD)
    return _short(value) if isinstance(value, float) else value


def _short(number: float) -> float | None:
    """JSON has no infinity."""
    return round(number, 1) if math.isfinite(number) else None


def _cut(text: str, longest: int) -> str:
    """One printable line: what a unit or a server said may hold anything."""
    text = "".join(letter if letter.isprintable() else " " for letter in text[: longest + 1])
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} is no text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _evidence(found: object) -> Evidence:
    """Of each field what fits its kind; evidence that cannot be read is no evidence."""
    if not isinstance(found, dict):
        return Evidence()
    kinds: dict[str, type | tuple[type, ...]] = {"generation": str, "exit": str, "accepts": bool}
    known = {field.name: kinds.get(field.name, (int, float)) for field in fields(Evidence)}
    fitting = {name: found[name] for name, kind in known.items() if isinstance(found.get(name), kind)}
    return Evidence(**fitting)


def _episode(found: object) -> Episode | None:
    if not isinstance(found, dict):
        return None
    return Episode(
        _text(found, "deed"),
        _number(found.get("began")),
        _number(found.get("seconds")),
        bool(found.get("open")),
    )
