"""A second reader of the Prometheus text format, written to be strict: character by character.

It says of a count what can be known from a text, and says "doubt" wherever a line of it cannot be trusted.
"""

from dataclasses import dataclass, field
from fractions import Fraction

BLANK = " \t"
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:")
DIGITS = frozenset("0123456789")
WORD = LETTERS | DIGITS
ABSENT, DOUBT = "absent", "doubt"
LARGEST_LINE, LARGEST_TEXT, MOST_LINES = 8 << 10, 2 << 20, 20_000


@dataclass(frozen=True, slots=True)
class Line:
    """One sample; `value` is None for NaN and the infinities."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: Fraction | None


@dataclass(slots=True)
class Text:
    """`damaged`: a line that is no sample, or a cut. `doubts`: plain names of which a line is not whole."""

    lines: list[Line] = field(default_factory=list)
    doubts: set[str] = field(default_factory=set)
    damaged: bool = False

    def of(self, plain_name: str) -> list[Line]:
        return [line for line in self.lines if plain(line.name) == plain_name]

    def count(self, *names: str) -> int | str:
        """How many there are of a thing, by the first of these names that the text has at all."""
        for name in names:
            found = self.of(name)
            if found or name in self.doubts:
                return DOUBT if name in self.doubts else _whole_sum(found)
        return ABSENT


def _whole_sum(found: list[Line]) -> int | str:
    values = [line.value for line in found]
    known = [value for value in values if value is not None and value >= 0 and value.denominator == 1]
    series = {(line.name, line.labels) for line in found}
    if len(known) != len(values) or len(series) != len(found):
        return DOUBT
    return int(sum(known))


def plain(name: str) -> str:
    """The name without its prefix, and without one `_total` at its end."""
    name = name[name.rfind(":") + 1 :]
    return name[: -len("_total")] if name.endswith("_total") else name


def read(body: bytes) -> Text:
    text = Text()
    pieces = body[:LARGEST_TEXT].decode("utf-8", "replace").split("\n")
    torn = pieces.pop()
    if len(pieces) > MOST_LINES:
        pieces, torn = pieces[:MOST_LINES], "cut"
    if torn or len(body) > LARGEST_TEXT:
        text.damaged = True
        text.doubts.add(plain(_name_at(torn.lstrip(BLANK).rstrip("\r"))))
    last = ""
    for piece in pieces:
        stripped = piece.rstrip(BLANK + "\r").lstrip(BLANK)
        if not stripped or stripped.startswith("#"):
            last = "" if stripped else last
            continue
        line = _line(stripped) if len(piece) <= LARGEST_LINE else None
        last = plain(line.name if line else _name_at(stripped))
        if line is None:
            text.damaged = True
            text.doubts.add(last)
        else:
            text.lines.append(line)
    if torn or len(body) > LARGEST_TEXT:
        text.doubts.add(last)  # more of it may have stood behind the cut
    return text


def _name_at(text: str) -> str:
    end = 0
    while end < len(text) and text[end] not in ' \t{"':
        end += 1
    return text[:end]


def _line(text: str) -> Line | None:
    """name [{label="value",…}] number [timestamp]"""
    at = 0
    while at < len(text) and text[at] in WORD:
        at += 1
    name = text[:at]
    if not name or name[0] in DIGITS:
        return None
    after = _skip(text, at)
    labels: tuple[tuple[str, str], ...] = ()
    if after < len(text) and text[after] == "{":
        found = _labels(text, after + 1)
        if found is None:
            return None
        labels, after = found
    elif after == at:
        return None
    words = text[after:].replace("\t", " ").split(" ")
    words = [word for word in words if word]
    if len(words) not in (1, 2) or (len(words) == 2 and not _is_whole(words[1])):
        return None
    number = _number(words[0])
    return None if number == "" else Line(name, labels, number)  # type: ignore[arg-type]


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _labels(text: str, at: int) -> tuple[tuple[tuple[str, str], ...], int] | None:
    """The labels and the place behind the closing brace; None where they are broken."""
    found: list[tuple[str, str]] = []
    while True:
        at = _skip(text, at)
        if at < len(text) and text[at] == "}":
            return tuple(found), at + 1
        start = at
        while at < len(text) and text[at] in WORD:
            at += 1
        name, at = text[start:at], _skip(text, at)
        if not name or name[0] in DIGITS or text[at : at + 1] != "=":
            return None
        at = _skip(text, at + 1)
        value, at = _quoted(text, at)
        if at < 0:
            return None
        found.append((name, value))
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != "}":
            return None


def _quoted(text: str, at: int) -> tuple[str, int]:
    """The text between quotes, and the place behind them; -1 where they do not close."""
    if text[at : at + 1] != '"':
        return "", -1
    start = at = at + 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return (text[start:at], at + 1) if at < len(text) else ("", -1)


def _is_whole(text: str) -> bool:
    digits = text.lstrip("-")
    return bool(digits) and len(text) - len(digits) <= 1 and all(char in DIGITS for char in digits)


def _number(text: str) -> Fraction | str | None:
    """The number, None for one that is not finite, "" for what is none."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if body.lower() in ("inf", "infinity", "nan"):
        return None
    mantissa, mark, exponent = body.lower().partition("e")
    left, _, right = mantissa.partition(".")
    plain_exponent = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    parts = (left, right, plain_exponent)
    if not (left or right) or any(char not in DIGITS for part in parts for char in part):
        return ""
    if mark and not plain_exponent:
        return ""
    if not -400 < int(exponent[:6] or 0) < 400 or len(left) > 400:
        return None if float(text) in (float("inf"), float("-inf")) else Fraction(float(text))
    return Fraction(float(text)) if abs(float(text)) < float("inf") else None
