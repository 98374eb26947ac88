"""Where the log goes when it goes to stderr: never waited for, and nobody needs to read it.

A full pipe, a stopped terminal or a reader that has ended would else hold up the agent, or end it. What is
not taken at once is lost; the next line that is taken says how much.
"""

import os
import select
from typing import TextIO

PIECE = select.PIPE_BUF  # bytes that a pipe with any room takes whole


class StandardError:
    """As much of a stream as a logger needs: what `write` gets goes out at the end of its line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._text, self._lost = stream, "", 0
        try:
            self._handle: int | None = stream.fileno()
        except (OSError, ValueError):  # a stream in memory
            self._handle = None

    def write(self, text: str) -> int:
        self._text += text
        if text.endswith("\n"):
            told, self._text = self._text, ""
            self._tell(told)
        return len(text)

    def flush(self) -> None:
        """Every line has gone out, or is lost."""

    def _tell(self, told: str) -> None:
        if self._handle is None:
            self._stream.write(told)
            return
        before = f"{self._lost} lines of this log are lost: nobody took them\n" if self._lost else ""
        taken = _take(self._handle, (before + told).encode("utf-8", "backslashreplace"))
        self._lost = 0 if taken else self._lost + told.count("\n")


def _take(handle: int, content: bytes) -> bool:
    """Whether all of it was taken at once, piece by piece."""
    poll = select.poll()
    poll.register(handle, select.POLLOUT)
    try:
        while content:
            if not any(event & select.POLLOUT for _, event in poll.poll(0)):
                return False
            content = content[os.write(handle, content[:PIECE]) :]
    except OSError:  # whoever read it has ended
        return False
    return True
