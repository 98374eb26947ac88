"""`install NAME [--config DIR]`, run by root behind a socket: nothing comes from the caller.

Progress goes to the journal; the answer, one line of JSON, to the caller.
"""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inferagent.config.fragments import DEFAULT_FOLDER
from inferagent.config.sources import NAMES
from inferagent.programs.install import Order, Progress, World, run


def main(argv: Sequence[str]) -> int:
    """Always 0: what went wrong is the caller's to say."""
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    match argv:
        case [name] if name in NAMES:
            order = Order(name, DEFAULT_FOLDER)
        case [name, "--config", folder] if name in NAMES:
            order = Order(name, Path(folder))
        case _:
            return _answer({"ok": False, "message": f"cannot install {' '.join(argv)!r}", "refused": True})
    code = run(order, World(Progress(say), lambda: True))
    return _answer({"ok": code == 0, "message": said[-1] if said else "", "refused": False})


def _answer(answer: dict[str, object]) -> int:
    with suppress(BrokenPipeError, ConnectionResetError):
        os.write(sys.stdout.fileno(), json.dumps(answer).encode() + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
