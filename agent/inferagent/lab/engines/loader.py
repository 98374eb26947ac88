"""Which models the Ollama stand-in holds loaded, and who may generate: loading on demand, a queue of
bounded length, unloading when keep_alive is over. A runner that was killed stays listed until the
next request finds out, as in the real one."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from inferagent.lab.engines.child import Child, argv
from inferagent.lab.engines.models import Model
from inferagent.lab.engines.ollama_env import Environment

FOR_EVER = 10 * 365 * 86400.0


class BusyError(Exception):
    """More requests wait than OLLAMA_MAX_QUEUE allows, for a runner or for a free slot of it (0.17.4
    counts only the first and lets any number wait for a slot)."""


class RunnerError(Exception):
    """The runner died, or could not be loaded in time."""


class Work:
    """One request at a runner; the times are for its durations (seconds, monotonic)."""

    def __init__(self, name: str, tokens: int) -> None:
        self.name, self.tokens, self.count = name, tokens, 0
        self.made: asyncio.Queue[int | None] = asyncio.Queue()
        self.begun = self.first = time.monotonic()

    async def step(self) -> int:
        """Tokens of the next step; 0 once all are made."""
        if self.count >= self.tokens:
            return 0
        made = await self.made.get()
        if made is None:
            raise RunnerError("cannot go on: the runner has ended (unexpected EOF)")
        if not self.count:
            self.first = time.monotonic()
        self.count += made
        return made


class Loaded:
    """A runner with its model."""

    def __init__(self, model: Model, child: Child, parallel: int) -> None:
        self.model, self.child = model, child
        self.slots = asyncio.Semaphore(parallel)
        self.begun = asyncio.Event()
        self.ready = self.gone = False
        self.users = 0
        self.names = 0
        self.works: dict[str, Work] = {}
        self.expires = time.time()
        self.timer: asyncio.TimerHandle | None = None

    async def read(self) -> None:
        async for message in self.child.read():
            if message.get("ready"):
                self.ready = True
                self.begun.set()
            for name, count in message.get("tokens", {}).items():
                if name in self.works:
                    self.works[name].made.put_nowait(count)
        self.gone = True
        self.begun.set()
        for work in self.works.values():
            work.made.put_nowait(None)
        await self.child.process.wait()

    @contextmanager
    def work(self, tokens: int) -> Iterator[Work]:
        """One request from its hand-over to its end; left early, it is aborted."""
        self.names += 1
        work = Work(f"r{self.names}", tokens)
        self.works[work.name] = work
        self.child.tell({"add": work.name, "tokens": tokens})
        if self.gone:
            work.made.put_nowait(None)
        try:
            yield work
        finally:
            del self.works[work.name]
            if work.count < tokens:
                self.child.tell({"abort": work.name})


class Loader:
    """All runners; `group` carries the tasks that read what they say."""

    def __init__(self, environment: Environment, group: asyncio.TaskGroup) -> None:
        self.environment, self.group = environment, group
        self.loaded: dict[str, Loaded] = {}
        self.loading: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.waiting = 0

    @asynccontextmanager
    async def use(self, model: Model, keep_alive: float) -> AsyncIterator[tuple[Loaded, float]]:
        """A loaded model with a free slot, and the seconds that loading took. BusyError, RunnerError."""
        if self.waiting > self.environment.max_queue:
            raise BusyError
        self.waiting += 1
        try:
            loaded, seconds = await self.get(model)
            loaded.users += 1
            try:
                await loaded.slots.acquire()
            except asyncio.CancelledError:
                self.release(loaded, keep_alive)
                raise
        finally:
            self.waiting -= 1
        try:
            yield loaded, seconds
        finally:
            loaded.slots.release()
            self.release(loaded, keep_alive)

    async def get(self, model: Model) -> tuple[Loaded, float]:
        begun = time.monotonic()
        async with self.loading[model.digest]:
            loaded = self.loaded.get(model.digest)
            if loaded is None or loaded.gone:
                loaded = await self.load(model)
            if loaded.timer is not None:
                loaded.timer.cancel()
        return loaded, time.monotonic() - begun

    async def load(self, model: Model) -> Loaded:
        """Starts a runner; if the asker goes away meanwhile, loading ends too, as in the real one."""
        environment = self.environment
        settings = {
            "rate": environment.tokens_per_second,
            "prefill": environment.prefill_seconds,
            "burn": environment.burn,
            "load": environment.load_seconds,
            "size": model.size,
            "orphan": environment.orphan_seconds,
        }
        command = argv("runner.py", "runner", "--model", str(model.blob), json.dumps(settings))
        loaded = Loaded(model, await Child.start(command), environment.parallel)
        self.group.create_task(loaded.read())
        self.loaded[model.digest] = loaded
        try:
            async with asyncio.timeout(environment.load_timeout):
                await loaded.begun.wait()
        except TimeoutError:
            raise RunnerError("cannot load the model in OLLAMA_LOAD_TIMEOUT") from None
        finally:
            if not loaded.ready:
                self.unload(loaded)
        if loaded.gone:
            raise RunnerError("cannot load the model: the runner has ended")
        return loaded

    def release(self, loaded: Loaded, keep_alive: float) -> None:
        """The last user's keep_alive counts."""
        loaded.users -= 1
        loaded.expires = time.time() + (keep_alive if keep_alive >= 0 else FOR_EVER)
        if loaded.users:
            return
        if keep_alive == 0:
            self.unload(loaded)
        elif keep_alive > 0:
            loaded.timer = asyncio.get_running_loop().call_later(keep_alive, self.unload, loaded)

    def unload(self, loaded: Loaded) -> None:
        loaded.child.kill()
        if self.loaded.get(loaded.model.digest) is loaded:
            del self.loaded[loaded.model.digest]

    def kill(self) -> None:
        for loaded in self.loaded.values():
            loaded.child.kill()

    async def close(self) -> None:
        """Ends all runners, and returns when they have ended."""
        self.kill()
        for loaded in [*self.loaded.values()]:
            await loaded.child.process.wait()
