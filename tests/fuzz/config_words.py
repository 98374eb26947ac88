"""What each key of the configuration may be, said a second time and by other means, for the reference."""

import ipaddress
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx

NO = object()  # what a checker gives for a value that must be refused
MAYBE = object()  # not for the reference to say

WORD = frozenset(string.ascii_letters + string.digits)
SECONDS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
Check = Callable[[Any], Any]


def only(text: object, allowed: str, least: int, most: int) -> bool:
    """A text of `least` to `most` ASCII letters, digits and `allowed`."""
    return isinstance(text, str) and least <= len(text) <= most and set(text) <= WORD | set(allowed)


def seconds(text: object) -> Any:
    """Seconds as a fraction, NO for what is no duration."""
    return _seconds(text) if isinstance(text, str) else NO


@lru_cache(maxsize=1000)
def _seconds(text: str) -> Any:
    total, at = Fraction(0), 0
    while at < len(text):
        number = ""
        while at < len(text) and (text[at] in string.digits or text[at] == "."):
            number, at = number + text[at], at + 1
        unit = "ms" if text[at : at + 2] == "ms" else text[at : at + 1]
        left, dot, right = number.partition(".")
        if not left or (dot and not right) or "." in right or unit not in SECONDS or len(number) > 400:
            return NO
        total, at = total + Fraction(number) * SECONDS[unit], at + len(unit)
    return total if text else NO


@dataclass(frozen=True, slots=True)
class Span:
    """A duration between two others; with `off`, also "off", which is None."""

    low: str
    high: str
    off: bool = False

    def __call__(self, value: Any) -> Any:
        if self.off and value == "off":
            return None
        found, lowest, highest = seconds(value), _seconds(f"{self.low}s"), _seconds(f"{self.high}s")
        if found is NO:
            return NO
        edge = min(abs(found - lowest), abs(found - highest)) < Fraction(1, 10**9)
        if edge and found not in (lowest, highest):
            return MAYBE
        return float(found) if lowest <= found <= highest else NO


@dataclass(frozen=True, slots=True)
class Whole:
    low: int
    high: int

    def __call__(self, value: Any) -> Any:
        return value if type(value) is int and self.low <= value <= self.high else NO


def flag(value: Any) -> Any:
    return value if value is True or value is False else NO


def word(*choices: str) -> Check:
    return lambda value: value if isinstance(value, str) and value in choices else NO


def folder(value: Any) -> Any:
    return value if isinstance(value, str) and value[:1] == "/" and value.isprintable() else NO


def host_name(value: Any) -> Any:
    if not only(value, "._-", 0, 63):
        return NO
    return value if not value or value[0] in WORD else NO


def public_name(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > 253:
        return NO
    labels = value.split(".")
    fine = all(only(label, "-", 1, 63) and label[0] != "-" and label[-1] != "-" for label in labels)
    return value if len(labels) > 1 and fine else NO


def unit(value: Any) -> Any:
    stem = value[: -len(".service")] if isinstance(value, str) and value.endswith(".service") else None
    return value if stem is not None and only(stem, ":_.@\\-", 1, 240) else NO


def identity(value: Any) -> Any:
    return value if only(value, "_-", 1, 64) else NO


def tunnel_id(value: Any) -> Any:
    groups = value.split("-") if isinstance(value, str) else []
    hexadecimal = all(set(group) <= set(string.hexdigits) for group in groups)
    return value if [len(group) for group in groups] == [8, 4, 4, 4, 12] and hexadecimal else NO


def address(value: Any) -> Any:
    """(host, port); an IPv6 host keeps its brackets."""
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    digits = colon and 1 <= len(port) <= 5 and set(port) <= set(string.digits) and 1 <= int(port) <= 65535
    if not digits:
        return NO
    if host[:1] == "[" and host[-1:] == "]" and len(host) > 2:
        try:
            inner = ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            return NO
        return NO if inner.is_unspecified else (host, int(port))
    if not only(host, ".-", 1, 10**6) or no_address(host):
        return NO
    return NO if host == "0.0.0.0" else (host, int(port))


def no_address(host: str) -> bool:
    """Numbers and dots alone that are no address of IPv4: no client takes them for a name."""
    if not host or not set(host) <= set(string.digits + "."):
        return False
    parts = host.split(".")
    fine = [0 < len(part) <= 3 and int(part) <= 255 and (part == "0" or part[0] != "0") for part in parts]
    return len(parts) != 4 or not all(fine)


def url(schemes: tuple[str, ...], path: bool) -> Check:
    plain = re.compile(
        rf"(?:{'|'.join(schemes)})://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::([0-9]{{1,5}}))?((?:/[\w.-]+)*/*)",
        re.ASCII,
    )

    def check(value: Any) -> Any:
        if not isinstance(value, str) or any(char.isspace() for char in value):
            return NO
        if not value.lower().startswith(tuple(f"{scheme}://" for scheme in schemes)):
            return NO if not value.strip().lower().startswith("http") else MAYBE
        found = plain.fullmatch(value)
        if found is None or "xn--" in value:
            return MAYBE
        port = int(found[1]) if found[1] else 1
        bad = not 1 <= port <= 65535 or (found[2] not in ("", "/") and not path)
        bad = bad or no_address(value.partition("//")[2].partition("/")[0].partition(":")[0])
        return NO if bad or value.partition("//")[2].startswith("0.0.0.0") else value.rstrip("/")

    return check


def argv(value: Any) -> Any:
    fine = (
        isinstance(value, list)
        and value
        and all(isinstance(part, str) and "\0" not in part for part in value)
    )
    return tuple(value) if fine and value[0] else NO


def or_blank(check: Check, blank: Any, ready: Any) -> Check:
    """What `check` takes, or `blank`, which comes to `ready`."""
    return lambda value: ready if type(value) is type(blank) and value == blank else check(value)


def check_name(value: Any) -> Any:
    fine = value == "" or (only(value, "._-", 1, 40) and value[0] in WORD)
    return value if isinstance(value, str) and fine else NO


def pairs(least: int, environment: bool) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, dict) or len(value) < least:
            return NO
        for name, text in value.items():
            if not name or not isinstance(text, str) or "\0" in text:
                return NO
            if environment and ("=" in name or "\0" in name):
                return NO
        return tuple(value.items())

    return check


def gpus(value: Any) -> Any:
    if value == "all":
        return None
    if not isinstance(value, list) or not all(type(one) is int and 0 <= one < 256 for one in value):
        return NO
    return tuple(value) if len(set(value)) == len(value) else NO


@dataclass(frozen=True, slots=True)
class Key:
    """`default` is the TOML value that counts where the key is not written; NO: it must be written."""

    check: Check
    default: Any = NO
    ready: Any = field(init=False)  # what the default comes to

    def __post_init__(self) -> None:
        empty = self.default is NO or self.default in ("", ())
        object.__setattr__(self, "ready", self.default if empty else self.check(self.default))


ENGINE = {
    "kind": Key(word("vllm", "ollama")),
    "url": Key(url(("http",), path=False)),
    "unit": Key(unit, ""),
    "command": Key(argv, ()),
    "environment": Key(pairs(0, environment=True), {}),
    "gpus": Key(gpus, "all"),
    "serves": Key(pairs(1, environment=False)),
}
TABLES: dict[str, dict[str, Key]] = {
    "agent": {
        "state": Key(folder, "/var/lib/inferagent"),
        "run": Key(folder, "/run/inferagent"),
    },
    "host": {"name": Key(host_name, "")},
    "connector": {
        "unit": Key(unit, ""),
        "command": Key(argv, ()),
        "environment": Key(pairs(0, environment=True), {}),
        "metrics": Key(address, "127.0.0.1:20241"),
        "hostname": Key(public_name),
        "tunnel": Key(tunnel_id, ""),
    },
    "membership": {
        "kind": Key(word("own-pool", "pull", "replica")),
        "account": Key(identity, ""),
        "zone": Key(identity, ""),
        "pool": Key(identity, ""),
        "load_balancer": Key(identity, ""),
        "api": Key(url(("https", "http"), path=True), "https://api.cloudflare.com/client/v4"),
        "monitor_bound": Key(Span("1", "14400"), "4m"),
        "alone": Key(flag, False),
    },
    "ready": {"port": Key(Whole(1, 65535), 8790)},
    "drain": {
        "deadline": Key(Span("2", "86400"), "2m"),
        "deadline_alone": Key(Span("2", "86400"), "1m"),
        "deadline_operator": Key(Span("2", "86400"), "15m"),
        "settle": Key(Span("1", "600"), "10s"),
        "quiet": Key(Span("0.5", "600"), "3s"),
        "shutdown": Key(Span("2", "3600"), "25s"),
    },
    "idle": {"after": Key(Span("60", "2592000", off=True), "off"), "stop_engine": Key(flag, False)},
    "limits": {
        "restarts_per_hour": Key(Whole(0, 60), 3),
        "joins_per_hour": Key(Whole(1, 600), 6),
        "warming_without_progress": Key(Span("5", "86400"), "10m"),
        "stuck_load": Key(Span("5", "86400"), "10m"),
        "hold_off": Key(Span("0.1", "3600"), "1m"),
        "hold_off_reset": Key(Span("1", "604800"), "1h"),
        "no_edge": Key(Span("1", "3600"), "1m"),
        "reconnect_first": Key(Span("1", "3600"), "1m"),
        "reconnect_last": Key(Span("1", "86400"), "10m"),
    },
    "probe": {
        "look": Key(Span("0.1", "8"), "2s"),
        "host": Key(Span("0.1", "50"), "10s"),
        "gpus": Key(Span("0.1", "25"), "5s"),
        "membership": Key(Span("0.5", "300"), "15s"),
        "fresh": Key(Span("1", "600"), "30s"),
        "falls": Key(Whole(1, 10), 2),
        "generation_deadline": Key(Span("0.5", "300"), "6s"),
        "suspect_frozen": Key(Span("0.5", "300"), "3s"),
        "hang_frozen": Key(Span("1", "3600"), "30s"),
        "hang_frozen_traffic": Key(Span("1", "3600"), "12s"),
    },
}
TABLES["notify"] = {
    "exec": Key(or_blank(argv, [], ()), []),
    "webhook": Key(or_blank(url(("https", "http"), path=True), "", ""), ""),
    "after": Key(Span("1", "86400"), "2m"),
}
CHECK = {
    "name": Key(check_name, ""),
    "exec": Key(argv),
    "every": Key(Span("1", "86400"), "60s"),
    "deadline": Key(Span("0.1", "3600"), "10s"),
    "effect": Key(word("tell", "degrade", "drain"), "tell"),
}
MODE = Key(word("observe", "act"), "observe")


def can_be_called(text: str) -> bool:
    """Whether an HTTP client takes the address at all."""
    try:
        parts, seen = urlsplit(text), httpx.URL(text)
        return bool(seen.host) and bool(parts.hostname) and not seen.userinfo and not seen.query
    except (ValueError, httpx.InvalidURL):
        return False
