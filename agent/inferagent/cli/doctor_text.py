"""Doctor's report for a person: what is broken, with evidence and cure, then one line a hop; 80 columns."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

WIDTH = 80
NAME = 24  # the column of the check's name
LOUD = {"fail": ("FAIL", "31"), "unknown": ("????", "35"), "warn": ("WARN", "33")}
QUIET = {"ok": ("ok", "32"), "skipped": ("-", "2")}
Check = Mapping[str, Any]


def render(document: Mapping[str, Any], *, colour: bool = False, every: bool = False) -> str:
    """`document` is the JSON report. `every`: evidence also of what is well."""
    checks: list[Check] = list(document["checks"])
    lines = [_headline(document)]
    for verdict in LOUD:
        for check in checks:
            if check["verdict"] == verdict:
                lines += ["", *_loud(check, colour)]
    lines += ["", *(_each(checks, colour) if every else _hops(checks, colour))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _headline(document: Mapping[str, Any]) -> str:
    counts = document["counts"]
    words = {
        "fail": "failed",
        "warn": "to look at",
        "unknown": "cannot be told",
        "ok": "ok",
        "skipped": "skipped",
    }
    said = ", ".join(f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict])
    return f"{document['host'] or 'this host'}  {said or 'nothing to check'} ({document['seconds']:.1f} s)"


def _loud(check: Check, colour: bool) -> list[str]:
    word, code = LOUD[check["verdict"]]
    head = f"{_painted(word, code, colour)}  {check['hop']}: {check['title']}  ({check['name']})"
    lines = [head, *_wrapped(check["evidence"], "      ", "      ")]
    return lines + (_wrapped(check["cure"], "      → ", "        ") if check["cure"] else [])


def _hops(checks: Iterable[Check], colour: bool) -> list[str]:
    """One line a hop: its worst verdict stands for it, and what was skipped for whose sake is named."""
    by_hop: dict[str, list[Check]] = {}
    for check in checks:
        by_hop.setdefault(check["hop"], []).append(check)
    lines = []
    for hop, own in by_hop.items():
        worst = next(v for v in (*LOUD, *QUIET) if any(check["verdict"] == v for check in own))
        word, code = {**LOUD, **QUIET}[worst]
        lines.append(f"{_painted(f'{word:<4}', code, colour)}  {hop:<16}{_summary(own)}"[: WIDTH + 12])
    return lines


def _summary(own: list[Check]) -> str:
    well = sum(check["verdict"] == "ok" for check in own)
    causes = sorted({check["hidden_by"] for check in own if check["hidden_by"]})
    parts = [f"{well} ok"] if well else []
    if causes:
        parts.append(f"not told before {causes[0]} is mended")
    elif not well and all(check["verdict"] == "skipped" for check in own):
        parts.append(own[0]["evidence"])
    return ", ".join(parts)


def _each(checks: Iterable[Check], colour: bool) -> list[str]:
    lines = []
    for check in checks:
        if check["verdict"] in QUIET:
            word, code = QUIET[check["verdict"]]
            said = textwrap.shorten(check["evidence"], WIDTH - 6 - NAME - 2, placeholder=" …")
            lines.append(f"{_painted(f'{word:<4}', code, colour)}  {check['name']:<{NAME}}  {said}")
    return lines


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """A long word (a URL, a path) stays whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first]


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
