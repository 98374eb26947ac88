"""The vLLM stand-in's EngineCore: `core.py SETTINGS` (JSON), started by the API server.

It batches requests up to `seqs` at once and has its one Worker make the tokens, step by step. It
listens to the API server between steps only, so a stopped Worker freezes every number, as in the
real one. It outlives a killed API server. Standard library alone.
"""

import json
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

STEPS_PER_SECOND = 50
BLOCK_TOKENS = 16


class Request:
    def __init__(self, name: str, prompt: int, tokens: int, prefill_steps: int) -> None:
        self.name, self.prompt, self.left, self.prefill = name, prompt, tokens, prefill_steps
        self.tokens, self.prefill_steps = tokens, prefill_steps

    @property
    def blocks(self) -> int:
        """Of the cache: they are taken as the prompt is read, chunk by chunk, and as tokens are made."""
        read = self.prompt
        if self.prefill > 0:
            read = self.prompt * (self.prefill_steps - self.prefill) // self.prefill_steps
        return math.ceil((read + self.tokens - self.left) / BLOCK_TOKENS)


class Core:
    """Scheduler of one Worker; every message to the API server carries running and waiting."""

    def __init__(self, settings: dict[str, Any]) -> None:
        rate: float = settings["rate"]
        self.batch = max(1, round(rate / STEPS_PER_SECOND))
        self.step_seconds = self.batch / rate
        self.prefill, self.prefill_tokens = settings["prefill"], settings["prefill_tokens"]
        self.seqs = settings["seqs"]
        self.waiting: deque[Request] = deque()
        self.running: dict[str, Request] = {}
        self.unread = b""
        self.worker = subprocess.Popen(
            settings["worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(settings["keep"],)
        )

    def ask_worker(self, batch: dict[str, Any] | None) -> dict[str, Any]:
        """The Worker's next line; EOFError when it has died. Waits for as long as it takes."""
        assert self.worker.stdin is not None
        assert self.worker.stdout is not None
        try:
            if batch is not None:
                self.worker.stdin.write(json.dumps(batch).encode() + b"\n")
                self.worker.stdin.flush()
        except BrokenPipeError as error:
            raise EOFError("the worker has died") from error
        line = self.worker.stdout.readline()
        if not line:
            raise EOFError("the worker has died")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def listen(self, wait: bool) -> None:
        """Takes what the API server has sent; raises BrokenPipeError when it is gone."""
        assert self.worker.stdout is not None
        worker = self.worker.stdout.fileno()
        ready, _, _ = select.select([0, worker], [], [], None if wait else 0)
        if worker in ready:
            raise EOFError("the worker has died")
        if 0 not in ready:
            return
        read = os.read(0, 1 << 16)
        if not read:
            raise BrokenPipeError("the API server has gone")
        *lines, self.unread = (self.unread + read).split(b"\n")
        for line in lines:
            self.take(json.loads(line))

    def take(self, message: dict[str, Any]) -> None:
        if "add" in message:
            prompt, tokens = message["prompt"], message["tokens"]
            self.waiting.append(Request(message["add"], prompt, tokens, self.steps_to_read(prompt)))
            return
        name = message["abort"]
        self.waiting = deque(request for request in self.waiting if request.name != name)
        self.running.pop(name, None)
        self.say({"aborted": name})

    def steps_to_read(self, prompt: int) -> int:
        share = min(1.0, prompt / self.prefill_tokens) if self.prefill_tokens else 1.0
        seconds: float = share * self.prefill
        return math.ceil(seconds / self.step_seconds)

    def admit(self) -> None:
        while self.waiting and len(self.running) < self.seqs:
            request = self.waiting.popleft()
            self.running[request.name] = request

    def step(self) -> None:
        """One batch: a request in prefill makes nothing yet, the others some tokens each."""
        self.admit()
        prefilled: dict[str, int] = {}
        tokens: dict[str, int] = {}
        for request in self.running.values():
            if request.prefill > 0:
                request.prefill -= 1
                continue
            if request.prefill == 0:
                request.prefill = -1
                prefilled[request.name] = request.prompt
            tokens[request.name] = min(self.batch, request.left)
        made = self.ask_worker({"seconds": self.step_seconds, "tokens": tokens})["tokens"]
        done = []
        for name, count in made.items():
            self.running[name].left -= count
            if self.running[name].left <= 0:
                del self.running[name]
                done.append(name)
        self.admit()
        self.say({"tokens": made, "prefilled": prefilled, "done": done})

    def say(self, message: dict[str, Any]) -> None:
        held = sum(request.blocks for request in self.running.values())
        message |= {"running": len(self.running), "waiting": len(self.waiting), "blocks": held}
        print(json.dumps(message), flush=True)

    def run(self) -> None:
        self.say({"worker": self.worker.pid})
        self.ask_worker(None)
        self.say({"ready": True})
        while True:
            self.listen(wait=not self.running and not self.waiting)
            if self.running or self.waiting:
                self.step()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Path("/proc/self/comm").write_text("VLLM::EngineCor")
    settings = json.loads(sys.argv[1])
    core = Core(settings)
    try:
        core.run()
    except EOFError:
        core.say({"dead": True})
    except BrokenPipeError:
        # The API server was killed: the real one keeps its memory until somebody ends it.
        time.sleep(settings["orphan"])
    core.worker.kill()
    os._exit(0)


if __name__ == "__main__":
    main()
