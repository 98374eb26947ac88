"""The Ollama stand-in's runner: `runner.py runner --model PATH SETTINGS` (JSON), one a loaded model.

It loads the model, then makes the tokens of all requests it holds, step by step, and burns a little
CPU time while it does. It outlives a killed server. Standard library alone.
"""

import json
import math
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

STEPS_PER_SECOND = 50
SLICE = 0.05
LOADING_BURN = 0.002


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(200))


def load(model: Path, size: int, seconds: float) -> None:
    """Reads the whole file and computes, spread over the time that it takes. A file whose end is
    missing ends the program."""
    if model.stat().st_size < size:
        raise SystemExit(f"cannot load {model}: its end is missing")
    share = int(model.stat().st_size * SLICE / max(seconds, SLICE)) + 1
    until = time.monotonic() + seconds
    with model.open("rb") as weights:
        while (left := until - time.monotonic()) > 0:
            weights.read(share)
            burn(LOADING_BURN)
            time.sleep(min(SLICE, left))


class Runner:
    def __init__(self, settings: dict[str, Any]) -> None:
        rate = settings["rate"]
        self.batch = max(1, round(rate / STEPS_PER_SECOND))
        self.seconds = self.batch / rate
        self.prefill_steps = math.ceil(settings["prefill"] / self.seconds)
        self.burn_seconds = self.seconds * settings["burn"]
        self.left: dict[str, int] = {}
        self.prefill: dict[str, int] = {}
        self.unread = b""
        self.due = 0.0

    def listen(self, seconds: float | None) -> None:
        """Takes what the server has sent within that time; EOFError when the server is gone."""
        ready, _, _ = select.select([0], [], [], seconds)
        if not ready:
            return
        read = os.read(0, 1 << 16)
        if not read:
            raise EOFError("the server has gone")
        *lines, self.unread = (self.unread + read).split(b"\n")
        for message in map(json.loads, lines):
            if "add" in message:
                if not self.left:
                    self.due = time.monotonic()
                self.left[message["add"]] = message["tokens"]
                self.prefill[message["add"]] = self.prefill_steps
            else:
                self.forget(message["abort"])

    def forget(self, name: str) -> None:
        self.left.pop(name, None)
        self.prefill.pop(name, None)

    def step(self) -> None:
        """One batch for all that are past their prefill."""
        burn(self.burn_seconds)
        made = {name: min(self.batch, left) for name, left in self.left.items() if not self.prefill[name]}
        self.prefill = {name: max(0, steps - 1) for name, steps in self.prefill.items()}
        for name, count in made.items():
            self.left[name] -= count
            if not self.left[name]:
                self.forget(name)
        print(json.dumps({"tokens": made}), flush=True)

    def run(self) -> None:
        while True:
            wait = max(0.0, self.due - time.monotonic()) if self.left else None
            self.listen(wait)
            now = time.monotonic()
            if self.left and now >= self.due:
                self.due = max(self.due, now - self.seconds) + self.seconds
                self.step()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Path("/proc/self/comm").write_text("ollama")
    model, settings = Path(sys.argv[3]), json.loads(sys.argv[4])
    try:
        load(model, settings["size"], settings["load"])
        print(json.dumps({"ready": True}), flush=True)
        Runner(settings).run()
    except (EOFError, BrokenPipeError):
        # The server was killed: the real one keeps its memory until somebody ends it.
        time.sleep(settings["orphan"])
    os._exit(0)


if __name__ == "__main__":
    main()
