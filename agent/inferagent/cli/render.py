"""The Status document as text for a person: the root cause first, its cure as a command, then the parts.

Works on the JSON, so that a status of a newer agent with further keys is shown too. Pure.
"""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

WIDTH = 80
_INDENT = 13  # where the text of a part begins
_CURE_INDENT = 10

Document = Mapping[str, Any]

# What an illness of a component brings with it: findings there are consequences.
CONSEQUENCES: Mapping[str, frozenset[str]] = {
    "host": frozenset({"host", "gpu", "engine", "connector", "membership"}),
    "gpu": frozenset({"gpu", "engine", "membership"}),
    "engine": frozenset({"engine", "membership"}),
    "connector": frozenset({"connector", "membership"}),
    "membership": frozenset({"membership"}),
    "agent": frozenset({"agent"}),
}
_COLOURS = {0: "32", 1: "33", 3: "33", 4: "31"}  # by exit code: green, yellow, yellow, red


def render(status: Document, *, colour: bool = False) -> str:
    """Several lines of at most 80 columns, the last one ended."""
    lines = [*_head(status, colour), *_parts(status)]
    for finding in further_findings(status):
        lines += _part("also", _text(finding, "text"))
        lines += _cure(_text(finding, "cure"), colour)
    return "\n".join(lines) + "\n"


def further_findings(status: Document) -> list[Document]:
    """The findings that are neither the root cause nor its consequences."""
    findings = _tables(status, "findings")
    root = _text(status, "root_cause")
    if not root:
        return findings
    rooted = {_text(finding, "component") for finding in findings if _text(finding, "text") in root}
    rooted = rooted & CONSEQUENCES.keys() or {"engine", "connector"}
    hidden = frozenset[str]().union(*(CONSEQUENCES[name] for name in rooted))
    return [finding for finding in findings if _text(finding, "component") not in hidden]


def age(seconds: object) -> str:
    """4m, 12s, 3h, 2d; "" for what is no number."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def _head(status: Document, colour: bool) -> Iterator[str]:
    phase = _text(status, "phase") or "unknown"
    sentence, root = _text(status, "sentence"), _text(status, "root_cause")
    said = sentence.removeprefix(phase) if sentence.startswith(phase) else f": {sentence or 'says nothing'}"
    state = " ".join(word for word in (phase.upper(), age(status.get("seconds"))) if word)
    head = f"{_text(status, 'host') or 'this host'}  {state}{said}"
    if _text(status, "mode") == "observe":
        head += " (observe mode: nothing is changed)"
    first, *rest = _wrapped(head, "", " " * _CURE_INDENT)
    yield first.replace(phase.upper(), _coloured(phase.upper(), _COLOURS.get(_exit(status), "33"), colour), 1)
    yield from rest
    if root and root not in sentence:
        yield from _part("because", root)
    yield from _cure(_text(status, "cure"), colour)


def _cure(cure: str, colour: bool) -> list[str]:
    """Never wrapped: it is there to be copied."""
    return [" " * _CURE_INDENT + "→ " + _coloured(cure, "1", colour)] if cure else []


def _parts(status: Document) -> Iterator[str]:
    if _text(status, "label") == "unconfigured":
        return  # it has none yet
    for name in ("engine", "connector"):
        part = status.get(name)
        if isinstance(part, Mapping):
            yield from _part(name, "  ".join(_nonempty(part, "name", "detail", "state")))
    pool = status.get("membership")
    if isinstance(pool, Mapping):
        yield from _part("pool", _pool(pool))
    for gpu in _tables(status, "gpus"):
        yield from _part(f"gpu {gpu.get('index', '?')}", "  ".join(_nonempty(gpu, "name", "text")))
    flight = in_flight(status)
    if flight:
        yield from _part("requests", flight)
    if _text(status, "hold"):
        yield from _part("hold", _text(status, "hold"))


def in_flight(status: Document) -> str:
    """ "2 in flight (tunnel 1, LAN 1)"; what cannot be read is left out."""
    ways = [("tunnel", status.get("in_flight_tunnel")), ("LAN", status.get("in_flight_lan"))]
    known = [(name, count) for name, count in ways if isinstance(count, int)]
    if not known:
        return ""
    detail = ", ".join(f"{name} {count}" for name, count in known)
    return f"{sum(count for _, count in known)} in flight ({detail})"


def _pool(pool: Document) -> str:
    state, seconds = _text(pool, "state") or "unknown", age(pool.get("age"))
    if seconds.endswith("s"):
        seconds = seconds[:-1] + " s"
    words = f"{state} (read {seconds} ago)" if seconds else f"{state} (not read yet)"
    if state == "in" and pool.get("healthy") is False:
        words += ", the monitor says unhealthy"
    if state == "in" and pool.get("healthy") is None:
        words += ", the monitor has not looked yet"
    effective, peers = pool.get("peers_effective"), pool.get("peers")
    if isinstance(effective, int) and isinstance(peers, int):
        words += f", {effective} of {peers} other endpoints effective"
    return f"{words}  {_text(pool, 'kind')}".rstrip()


def _part(name: str, text: str) -> list[str]:
    return _wrapped(text or "unknown", f"  {name:<10} ", " " * _INDENT)


def _wrapped(text: str, first: str, later: str) -> list[str]:
    clean = "".join(character if character.isprintable() else " " for character in text)
    return textwrap.wrap(
        first + clean, WIDTH, subsequent_indent=later, drop_whitespace=True, break_on_hyphens=False
    ) or [first]


def _nonempty(part: Document, *names: str) -> list[str]:
    return [text for name in names if (text := _text(part, name))]


def _tables(document: Document, name: str) -> list[Document]:
    value = document.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def _text(document: Document, name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _exit(status: Document) -> int:
    code = status.get("exit_code")
    return code if isinstance(code, int) else 3


def _coloured(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour and text else text
