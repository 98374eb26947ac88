"""What the installer says while it works: a bar on a terminal, elsewhere a plain line every now and then."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from inferagent.adapters.part_file import in_words

PACE = 10.0  # seconds between two plain lines
WIDE = 24  # characters of the bar
REDRAW = 0.1  # seconds


@dataclass
class Progress:
    """`say` takes a whole line; `draw`, on a terminal, what replaces the present one ("": it is cleared)."""

    say: Callable[[str], None]
    draw: Callable[[str], None] | None = None
    clock: Callable[[], float] = time.monotonic
    _doing: str = ""
    _begun: float = 0.0
    _said: float = field(default=float("-inf"))

    def step(self, text: str) -> None:
        """Something new begins."""
        self.end()
        self._doing, self._begun, self._said = text, self.clock(), self.clock()
        self.say(text)

    def bytes(self, done: int, whole: int | None) -> None:
        if not self._due(last=done == whole):
            return
        said = (
            in_words(done)
            if not whole
            else f"{in_words(done)} of {in_words(whole)} ({done * 100 // whole} %)"
        )
        speed = done / max(0.001, self.clock() - self._begun)
        filled = WIDE * min(done, whole) // whole if whole else 0
        bar = f"[{'#' * filled}{'.' * (WIDE - filled)}] " if whole else ""
        self._show(said, f"{bar}{said}, {in_words(speed)}/s")

    def tick(self, words: str) -> None:
        """It goes on; `words` are the last that it said itself."""
        if self._due():
            took = f"{self.clock() - self._begun:.0f} s"
            self._show(f"{self._doing}: {took}{f', {words}' if words else ''}", f"{took} {words}"[:100])

    def end(self) -> None:
        if self.draw:
            self.draw("")

    def _due(self, *, last: bool = False) -> bool:
        pace = REDRAW if self.draw else PACE
        return (last and self.draw is not None) or self.clock() - self._said >= pace

    def _show(self, line: str, drawn: str) -> None:
        self._said = self.clock()
        if self.draw:
            self.draw(drawn)
        else:
            self.say(f"  {line}")
