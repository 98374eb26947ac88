"""Jobs: every deed outside is one named task with a deadline; how it ended is a reading of the next tick."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace

import structlog

from inferagent.model.observed import Job
from inferagent.ports import Clock, PortError

log = structlog.get_logger()


@dataclass
class Jobs:
    """One slot a kind of deed. `wake` is called when a job ends."""

    clock: Clock
    wake: Callable[[], None]
    _views: dict[str, Job] = field(default_factory=dict)
    _tasks: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    def view(self) -> tuple[tuple[str, Job], ...]:
        return tuple(self._views.items())

    def start(self, slot: str, deed: Callable[[], Coroutine[None, None, None]], deadline: float) -> None:
        """Run the deed within `deadline` seconds; one that still runs in this slot is cancelled first."""
        old = self._tasks.get(slot)
        if old is not None and not old.done():
            old.cancel()
        before = self._views.get(slot, Job())
        self._views[slot] = replace(before, running=True, begun=self.clock.now(), ended=None, error="")
        task = asyncio.create_task(self._run(slot, deed, deadline), name=f"job {slot}")
        self._tasks[slot] = task

    async def _run(self, slot: str, deed: Callable[[], Coroutine[None, None, None]], deadline: float) -> None:
        error = ""
        try:
            async with asyncio.timeout(deadline):
                await deed()
        except TimeoutError:
            error = f"cannot finish within {deadline:.0f} s"
        except PortError as problem:
            error = str(problem)
        except asyncio.CancelledError:
            self._end(slot, "replaced by a newer deed")
            raise
        except Exception as bug:
            log.exception("job failed by a bug", job=slot)
            error = f"internal error: {bug!r}"
        self._end(slot, error)

    def _end(self, slot: str, error: str) -> None:
        if self._tasks.get(slot) is not asyncio.current_task():
            return  # a newer job has the slot
        before = self._views[slot]
        failures = before.failures + 1 if error else 0
        self._views[slot] = replace(
            before, running=False, ended=self.clock.now(), error=error, failures=failures
        )
        self.wake()

    async def cancel(self) -> None:
        """End all jobs; used when the agent stops."""
        tasks = [task for task in self._tasks.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
