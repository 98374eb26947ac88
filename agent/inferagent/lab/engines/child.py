"""How a stand-in starts the children that speak lines of JSON with it over their stdin and stdout.

The children are scripts of the standard library alone, started without site packages: 30 ms and
8 MB each.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

PYTHON = (sys.executable, "-I", "-S", "-B")


def argv(script: str, *arguments: str) -> list[str]:
    """The command line of the script of that name beside this file."""
    return [*PYTHON, str(Path(__file__).with_name(script)), *arguments]


class Child:
    """A running child; `read` must run somewhere, else its answers pile up."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, command: list[str], keep: tuple[int, ...] = ()) -> "Child":
        """Start it; `keep` are file descriptors that it inherits."""
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, pass_fds=keep))

    @property
    def pid(self) -> int:
        return self.process.pid

    def tell(self, message: dict[str, Any]) -> None:
        if self.process.stdin is not None and not self.process.stdin.is_closing():
            self.process.stdin.write(json.dumps(message).encode() + b"\n")

    async def read(self) -> AsyncIterator[dict[str, Any]]:
        """What the child says, line by line; ends when the child has ended."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if line.endswith(b"\n"):  # a killed child may leave half a line
                yield json.loads(line)

    def kill(self) -> None:
        """SIGKILL, which ends a stopped process too; a child that has ended is left alone."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()
