"""`status --watch`: the same text, alive, until q or Ctrl-C; where no person looks on, one line a change."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import click

from inferagent.cli.client import Reply, UnreachableError
from inferagent.cli.render import clock, render
from inferagent.model.steady import steady

PACE = 1.0  # seconds between two looks
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """One look: what the agent said, or why it did not."""

    document: Document = field(default_factory=dict)
    problem: str = ""
    cure: str = ""

    def page(self, *, colour: bool, width: int) -> str:
        if not self.problem:
            return render(self.document, colour=colour, width=width)
        return f"{self.problem}\n  → {self.cure}\n" if self.cure else f"{self.problem}\n"

    def line(self) -> str:
        """Time, host and sentence."""
        at = str(self.document.get("at") or "")
        moment = clock(at, at) or f"{datetime.now():%H:%M:%S}"
        if self.problem:
            return f"{moment}  {self.problem}"
        cure = self.document.get("cure")
        host, said = self.document.get("host") or "this host", self.document.get("sentence")
        return f"{moment}  {host}  {said}" + (f"  → {cure}" if cure else "")

    def key(self) -> str:
        """Equal for two looks between which nothing has changed but ages and counts."""
        said = (self.document.get(name) for name in ("phase", "sentence", "root_cause", "cure", "hold"))
        return steady("\n".join([self.problem, *(str(text or "") for text in said)]))


def view(ask: Callable[[], Reply]) -> View:
    try:
        reply = ask()
    except UnreachableError as error:
        return View(problem=str(error), cure=error.cure)
    return View(reply.document) if reply.ok else View(problem=reply.message, cure=reply.cure)


def watch(ask: Callable[[], Reply]) -> None:
    """Until the person ends it."""
    with suppress(KeyboardInterrupt):
        if sys.stdout.isatty() and sys.stdin.isatty():
            from inferagent.cli.screen import live

            colour = not os.environ.get("NO_COLOR")
            live(lambda width: view(ask).page(colour=colour, width=width), PACE)
        else:
            lines(lambda: view(ask), click.echo)


def lines(
    look: Callable[[], View],
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """One line a change, until interrupted."""
    before: str | None = None
    while True:
        seen = look()
        if seen.key() != before:
            say(seen.line())
            before = seen.key()
        sleep(PACE)
