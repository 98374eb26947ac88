"""Takes out of a recording what belongs to one run or one host: ports, times, ids, paths, what was generated.

What is left is the same when the same program is recorded again.
"""

import re
from collections.abc import Mapping
from typing import Any

TIME, ID, PLACE = "2000-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000", "/path"
IDS = {"id", "digest", "connectorId", "connectorID", "connection", "uid", "system_fingerprint"}
ADDRESSES = {"ip", "edgeAddress", "icmp_sources"}
TEXTS = {"content", "text", "response"}
PROSE = {"message", "error"}
NUMBERS = {"created", "size", "size_vram", "total_duration", "load_duration", "prompt_eval_duration"}
NUMBERS |= {"eval_duration", "context", "prompt_eval_count", "prompt_tokens", "total_tokens"}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|UTC|[+-]\d\d:\d\d)?")
_ADDRESS = re.compile(r"\b(\d+\.\d+\.\d+\.\d+|localhost|\[::1?\]):\d{2,5}\b")
_PATH = re.compile(r"(?<![\w:/.])/(?:[\w.+-]+/)+[\w.+-]+")
_HEX = re.compile(r"\b[0-9a-f]{16,}\b")
# Of a metric's name: its value is a time, a size or a count of this very run.
_OF_THIS_RUN = re.compile(
    r"^(?:process_|python_|go_|promhttp_|http_)|_created$|_seconds|_bytes|_secs|flops|latency"
)
_API = ("/api/", "/v1/")


def words(text: str) -> str:
    """A text with its times, ids, addresses and paths taken out."""
    for pattern, instead in ((_UUID, ID), (_TIME, TIME), (_ADDRESS, r"\1:0"), (_HEX, "0")):
        text = pattern.sub(instead, text)
    return _PATH.sub(lambda found: found[0] if found[0].startswith(_API) else PLACE, text)


def body(value: Any, key: str = "") -> Any:
    match value:
        case dict():
            return {name: body(inner, name) for name, inner in value.items()}
        case list() if key in NUMBERS:
            return [0]
        case list():
            return [body(inner, key) for inner in value]
        case str():
            return string(value, key)
        case bool() | None:
            return value
        case _:
            return 0 if key in NUMBERS else value


def string(value: str, key: str) -> str:
    if key in IDS:
        return ID
    if key in ADDRESSES:
        return "0.0.0.0"
    if key in TEXTS:
        return value and "text"
    return words(first_words(value)) if key in PROSE else words(value)


def first_words(text: str, count: int = 4) -> str:
    """What comes behind them is prose."""
    found = text.split()
    return text if len(found) <= count else f"{' '.join(found[:count])} …"


def headers(given: Mapping[str, str]) -> dict[str, str]:
    """In lower case and in order; a length stays, as a length."""
    hidden = {"date": TIME, "content-length": "0"}
    return {name.lower(): hidden.get(name.lower(), words(value)) for name, value in sorted(given.items())}


def metrics(text: str) -> str:
    """Without the help, which is prose; the values of this run are 0."""
    lines = []
    for line in text.splitlines():
        if line.startswith("# HELP") or not line.strip():
            continue
        lines.append(line if line.startswith("#") else metric(line))
    return "".join(f"{line}\n" for line in lines)


def metric(line: str) -> str:
    labelled, _, value = line.rpartition(" ")
    name = labelled.partition("{")[0]
    labels = labelled if "_bucket{" in labelled else words(labelled)
    return f"{labels} 0" if _OF_THIS_RUN.search(name) else f"{labels} {value}"
