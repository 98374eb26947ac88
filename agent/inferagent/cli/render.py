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
    "host": frozenset({"gpu", "engine", "connector"}),
    "gpu": frozenset({"gpu", "engine"}),
    "engine": frozenset({"engine"}),
    "connector": frozenset({"connector"}),
    "check": frozenset(),  # the user's own word explains nothing else
    "": frozenset({"engine", "connector"}),  # a newer agent's, of which nothing is known
}
# A person's word makes nothing ill: only what it asks for is its consequence.
ASKED_FOR: Mapping[str, frozenset[str]] = {
    name: frozenset({"engine-stopped"}) for name in ("hold", "other-hand", "parked", "in-use")
}
_COLOURS = {0: "32", 1: "33", 3: "33", 4: "31"}  # by exit code: green, yellow, yellow, red


def render(status: Document, *, colour: bool = False, width: int = WIDTH) -> str:
    """Several lines of at most `width` columns, the last one ended."""
    page = _Page(colour, max(40, width))
    lines = [*page.head(status), *page.parts(status)]
    for finding in further_findings(status):
        lines += page.part("also", _text(finding, "text"))
        lines += page.cure(_text(finding, "cure"))
    return "\n".join(lines) + "\n"


def further_findings(status: Document) -> list[Document]:
    """The findings that are neither the root cause nor its consequences, each text once."""
    root, code = _text(status, "root_cause"), _text(status, "root_code")
    told, sentence = {root} if root else set[str](), _text(status, "sentence")
    found = []
    for finding in _tables(status, "findings"):
        text = _text(finding, "text")
        if (
            text not in told
            and text not in sentence
            and not (root and _brought(finding, _component(status), code, root))
        ):
            found.append(finding)
        told.add(text)
    return found


def _component(status: Document) -> str:
    """Of the root cause; an older agent names it in its findings alone."""
    named, root = _text(status, "root_component"), _text(status, "root_cause")
    findings = (
        one for one in _tables(status, "findings") if _text(one, "text") and _text(one, "text") in root
    )
    return named or next((_text(one, "component") for one in findings), "")


def _brought(finding: Document, component: str, code: str, root: str) -> bool:
    """Whether the root cause, of this component and code, explains the finding."""
    if _text(finding, "text") in root or _text(finding, "code") in (code or None, "not-effective"):
        return True
    if code in ASKED_FOR:
        return _text(finding, "code") in ASKED_FOR[code]
    return _text(finding, "component") in CONSEQUENCES.get(component, CONSEQUENCES[""])


def age(seconds: object) -> str:
    """4m, 12s, 3h, 2d; "" for what is no number."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def spelt(seconds: object) -> str:
    """4 min, 12 s, 3 h, 2 d; two minutes and more in the next unit."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def clock(moment: str, now: str) -> str:
    """12:03:11 of an ISO 8601 moment, with its date where that is not the date of `now`."""
    date, _, time = moment.partition("T")
    if len(time) < 8 or len(date) != 10:
        return ""
    return time[:8] if date == now[:10] else f"{date} {time[:8]}"


class _Page:
    """How wide, and whether in colour."""

    def __init__(self, colour: bool, width: int) -> None:
        self._colour, self._width = colour, width

    def head(self, status: Document) -> Iterator[str]:
        phase, cure = _text(status, "phase") or "unknown", _text(status, "cure")
        sentence, root = _text(status, "sentence"), _text(status, "root_cause")
        said = (
            sentence.removeprefix(phase) if sentence.startswith(phase) else f": {sentence or 'says nothing'}"
        )
        said = said.removesuffix(f": run {cure}")  # it stands below
        fresh = _text(status, "label") == "unconfigured"
        seconds = "" if fresh else age(status.get("seconds"))
        state = f"{phase.upper()} {seconds}".rstrip()
        text = f"{_text(status, 'host') or 'this host'}  {state}{said}"
        if _text(status, "mode") == "observe" and not fresh:
            text += " (observe mode: nothing is changed)"
        first, *rest = self._wrapped(text, "", " " * _CURE_INDENT)
        shown = self._coloured(phase.upper(), _COLOURS.get(_exit(status), "33"))
        yield first.replace(phase.upper(), shown, 1)
        yield from rest
        if root and root not in sentence and not _told_otherwise(status):
            yield from self.part("because", root)
        yield from self.cure(cure)

    def cure(self, cure: str) -> list[str]:
        """Never wrapped: it is there to be copied."""
        return [" " * _CURE_INDENT + "→ " + self._coloured(_clean(cure), "1")] if cure else []

    def parts(self, status: Document) -> Iterator[str]:
        if _text(status, "label") == "unconfigured":
            return  # it has none yet
        yield from self._columns(engine=_engine(status), connector=_connector(status))
        pool = status.get("membership")
        if isinstance(pool, Mapping):
            yield from self.part("pool", _pool(pool, _text(status, "at")))
            others = _others(pool)
            yield from self.part("others", others) if others else []
        for gpu in _tables(status, "gpus"):
            yield from self.part(f"gpu {gpu.get('index', '?')}", "  ".join(_nonempty(gpu, "name", "text")))
        for name, texts in _more(status):
            for text in texts:
                yield from self.part(name, text)

    def _columns(self, **parts: tuple[str, str] | None) -> Iterator[str]:
        """The second column of each at the same place, where there is room."""
        found = {name: columns for name, columns in parts.items() if columns is not None}
        left = max((len(first) for first, _ in found.values()), default=0)
        widest = max((len(second) for _, second in found.values()), default=0)
        left = left if _INDENT + left + 3 + widest <= self._width else 0
        for name, (first, second) in found.items():
            yield from self.part(name, f"{first:<{left}}   {second}".rstrip() if second else first)

    def part(self, name: str, text: str) -> list[str]:
        return self._wrapped(text or "unknown", f"  {name:<10} ", " " * _INDENT)

    def _wrapped(self, text: str, first: str, later: str) -> list[str]:
        whole = first + _clean(text)
        return textwrap.wrap(whole, self._width, subsequent_indent=later, break_on_hyphens=False) or [first]

    def _coloured(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and text else text


def _told_otherwise(status: Document) -> bool:
    """Whether the label says the root cause in other words."""
    label, code = _text(status, "label"), _text(status, "root_code")
    return label == "installing" or (label == "warming" and code == "engine-restarted")


def in_flight(status: Document) -> str:
    """ "2 in flight (tunnel 1, LAN 1)"; what cannot be read is left out."""
    ways = [("tunnel", status.get("in_flight_tunnel")), ("LAN", status.get("in_flight_lan"))]
    known = [(name, count) for name, count in ways if isinstance(count, int)]
    if not known:
        return ""
    if len(known) == len(ways) and not any(count for _, count in known):
        return "none in flight"
    detail = ", ".join(f"{name} {count}" for name, count in known)
    return f"{sum(count for _, count in known)} in flight ({detail})"


def _engine(status: Document) -> tuple[str, str] | None:
    part = status.get("engine")
    if not isinstance(part, Mapping):
        return None
    state = _text(part, "condition") or _text(part, "state")
    return "  ".join(_nonempty(part, "name", "detail")), state


def _connector(status: Document) -> tuple[str, str] | None:
    """What it holds is worth more than that it runs."""
    part = status.get("connector")
    if not isinstance(part, Mapping):
        return None
    state, detail = _text(part, "condition") or _text(part, "state"), _text(part, "detail")
    return (detail if state in ("running", "unknown", "") else state), _text(part, "name")


def _pool(pool: Document, now: str) -> str:
    state, seconds = _text(pool, "state") or "unknown", spelt(pool.get("age"))
    since = clock(_text(pool, "since"), now)
    words = f"{state} since {since}" if since else state
    words += f" (read {seconds} ago)" if seconds else " (not read yet)"
    after = pool.get("after")
    if isinstance(after, int | float):
        words += f", {after:.1f} s after the fault"
    if state == "in" and pool.get("healthy") is False:
        words += ", the monitor says unhealthy"
    if state == "in" and pool.get("healthy") is None:
        words += ", the monitor has not looked yet"
    kind = _text(pool, "kind")
    return words if kind in ("own-pool", "") else f"{words}  [{kind}]"


def _others(pool: Document) -> str:
    effective, peers = pool.get("peers_effective"), pool.get("peers")
    if not isinstance(effective, int) or not isinstance(peers, int):
        return ""
    return f"{effective} of {peers} effective" if peers else "none"


def _more(status: Document) -> Iterator[tuple[str, list[str]]]:
    """What is said only where there is something to say."""
    sentence, hold = _text(status, "sentence"), _text(status, "hold")
    flight, ends = in_flight(status), clock(_text(status, "deadline"), _text(status, "at"))
    yield "requests", [flight] if flight and " in flight" not in sentence else []
    yield "drain", [f"ends at {ends} at the latest"] if ends else []
    for name in ("doing", "waits"):
        told = status.get(name)
        yield name, [one for one in told if isinstance(one, str)] if isinstance(told, list | tuple) else []
    ends = hold_ends(status)
    yield "hold", [*([hold] if hold and hold not in sentence else []), *([ends] if ends else [])]


def hold_ends(status: Document) -> str:
    """ "until 18:30, in 2h 10m"; "" where only `resume` ends the hold."""
    left, until = status.get("hold_left"), _text(status, "hold_until")
    if not until or not isinstance(left, int | float) or isinstance(left, bool):
        return ""
    from inferagent.policy.until import clock_time, span  # late: it brings half of the model with it

    return f"until {clock_time(until, _text(status, 'at'))}, in {span(left)}"


def _clean(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


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
