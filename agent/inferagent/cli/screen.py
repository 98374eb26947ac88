"""A page that is drawn anew on the whole screen: at its pace, at a new size, and at a key."""

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.text import Text

ENDS = ("q", "Q", "\x1b", "\x03")
NARROWEST, WIDEST = 40, 120


def live(page: Callable[[int], str], pace: float) -> None:
    """Show `page` (of so many columns) until q; another key shows it anew at once."""
    console = Console(highlight=False)
    with keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as screen:
        while True:
            width = max(NARROWEST, min(WIDEST, console.width))
            text = Text.from_ansi(page(width).rstrip("\n"))
            foot = Text(f"\n\n{datetime.now():%H:%M:%S}  q ends", style="dim")
            screen.update(Text.assemble(text, foot), refresh=True)
            if pressed(pace) in ENDS:
                return


@contextmanager
def keys() -> Iterator[Callable[[float], str]]:
    """A function that waits so many seconds for a key: the key, or "" after the time or a new size."""
    stdin = sys.stdin.fileno()
    before = termios.tcgetattr(stdin)
    hears, tells = os.pipe()
    os.set_blocking(tells, False)
    handler, waker = signal.signal(signal.SIGWINCH, _resized), signal.set_wakeup_fd(tells)
    try:
        tty.setcbreak(stdin)
        yield lambda seconds: _key(stdin, hears, seconds)
    finally:
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGWINCH, handler)
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
        os.close(hears)
        os.close(tells)


def _resized(_number: int, _frame: FrameType | None) -> None:
    """Only the waking counts: the next page asks for the size."""


def _key(stdin: int, hears: int, seconds: float) -> str:
    ready, _, _ = select.select([stdin, hears], [], [], seconds)
    if hears in ready:
        os.read(hears, 64)
    if stdin not in ready:
        return ""
    return os.read(stdin, 8).decode("utf-8", "replace")[:1] or "q"  # the terminal is gone
