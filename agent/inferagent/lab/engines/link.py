"""The API server's side of the EngineCore: requests handed over, tokens and numbers taken back.

All numbers come from the EngineCore's messages, so they freeze with it; requests that it has not
seen yet are in none of them.
"""

import asyncio
import itertools
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from inferagent.lab.engines.child import Child, argv
from inferagent.lab.engines.counters import Counters
from inferagent.lab.engines.knobs import number


class EngineDeadError(Exception):
    """The EngineCore or its Worker has died: every open request ends with this."""


@dataclass
class Request:
    """One request at the engine; `made` gets a count of tokens for each step, None when it died."""

    name: str
    prompt: int
    tokens: int
    started: float = field(default_factory=time.monotonic)
    made: asyncio.Queue[int | None] = field(default_factory=asyncio.Queue)
    count: int = 0

    async def step(self) -> int:
        """The number of tokens that the next step made; 0 once all are made."""
        if self.count >= self.tokens:
            return 0
        made = await self.made.get()
        if made is None:
            raise EngineDeadError
        self.count += made
        return made


class Link:
    """One EngineCore with its Worker and the tracker that outlives them all."""

    def __init__(self, core: Child, tracker: Child, keep: int) -> None:
        self.core, self.tracker, self.keep = core, tracker, keep
        self.counters = Counters()
        self.dead = False
        self.silent = False
        self.requests: dict[str, Request] = {}
        self.quiet = asyncio.Event()
        self.quiet.set()
        self.names = itertools.count(1)
        self.worker_pid = 0

    @classmethod
    async def start(cls, model: str, seqs: int) -> "Link":
        pipe, keep = os.pipe()
        # The tracker reads the pipe that the others hold: it lives as long as one of them.
        tracker = await Child.start(argv("tracker.py", str(pipe)), keep=(pipe,))
        os.close(pipe)
        settings = {
            "rate": max(number("LAB_TOKENS_PER_SECOND", 100.0), 0.01),
            "prefill": number("LAB_PREFILL_SECONDS", 0.0),
            "prefill_tokens": number("LAB_PREFILL_TOKENS", 0.0),
            "orphan": number("LAB_ORPHAN_SECONDS", 300.0),
            "seqs": seqs,
            "keep": keep,
            "worker": argv("worker.py", model, str(number("LAB_START_SECONDS", 2.0))),
        }
        core = await Child.start(argv("core.py", json.dumps(settings)), keep=(keep,))
        return cls(core, tracker, keep)

    async def read(self, news: asyncio.Queue[str]) -> None:
        """Takes the EngineCore's messages until it has died; says `ready` and `dead`."""
        async for message in self.core.read():
            self.worker_pid = message.get("worker", self.worker_pid)
            if message.get("ready"):
                news.put_nowait("ready")
            if message.get("dead"):
                self.worker_pid = 0
                break
            self.count(message)
            for name, made in message.get("tokens", {}).items():
                if name in self.requests:
                    self.requests[name].made.put_nowait(made)
        self.dead = True
        for request in () if self.silent else self.requests.values():
            request.made.put_nowait(None)
        news.put_nowait("dead")

    def count(self, message: dict[str, Any]) -> None:
        names = [*message.get("prefilled", ()), *message.get("done", ())]
        started = {name: self.requests[name].started for name in names if name in self.requests}
        self.counters.take(message, started)

    @contextmanager
    def request(self, prompt: int, tokens: int) -> Iterator[Request]:
        """A request from its hand-over to its end; left early, it is aborted."""
        if self.dead:
            raise EngineDeadError
        request = Request(f"r{next(self.names)}", prompt, tokens)
        self.requests[request.name] = request
        self.quiet.clear()
        self.core.tell({"add": request.name, "prompt": prompt, "tokens": tokens})
        try:
            yield request
        finally:
            del self.requests[request.name]
            if request.count < request.tokens and not self.dead:
                self.core.tell({"abort": request.name})
            if not self.requests:
                self.quiet.set()

    def kill(self) -> None:
        """Ends EngineCore and Worker at once, hung or not."""
        if self.worker_pid:
            with suppress(ProcessLookupError):
                os.kill(self.worker_pid, signal.SIGKILL)
        self.core.kill()

    async def close(self) -> None:
        """Ends all three, and returns when they have ended."""
        self.kill()
        self.worker_pid = 0
        self.tracker.kill()
        os.close(self.keep)
        await self.core.process.wait()
        await self.tracker.process.wait()
