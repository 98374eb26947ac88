"""vLLM: one GET of its metrics says whether it accepts, what it works on and whether it moves.

`/health` is not asked: it is 200 while the engine hangs. A silent `/metrics` behind a port that takes
connections leaves the API server's own CPU time to tell whether anything moves.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from inferagent.adapters.engine.aside import Aside
from inferagent.adapters.engine.exposition import Exposition, parse
from inferagent.adapters.engine.generation import ask_all, ask_tokens
from inferagent.adapters.engine.models import ModelList, names_in
from inferagent.adapters.engine.processes import usages
from inferagent.adapters.engine.runner import Work
from inferagent.adapters.engine.warmup import warmup
from inferagent.adapters.engine.weights import weights_of
from inferagent.adapters.local_http import Answer, BrokenError, LocalHttp, RefusedError, SilentError
from inferagent.model.engine import EngineLook, Generation, Load, Progress, Warmup
from inferagent.model.reading import Failed, NotAvailable, Reading, Value
from inferagent.ports import Clock, PortError

RUNNING = ("num_requests_running",)
WAITING = ("num_requests_waiting",)

# What the engine core itself moves, under the names of its releases, newest first. Counters of the API
# server alone (HTTP requests, rejections) move while the core hangs and are not among them.
MOVING: dict[str, tuple[str, ...]] = {
    "running": RUNNING,
    "waiting": WAITING,
    "generated": ("generation_tokens",),
    "prompted": ("prompt_tokens",),
    "finished": ("request_success",),
    "preempted": ("num_preemptions",),
    "kv": ("kv_cache_usage_perc", "gpu_cache_usage_perc"),
    "iterated": ("iteration_tokens_total_sum", "iteration_tokens_sum"),
    "begun": ("time_to_first_token_seconds_count",),
    "streamed": ("inter_token_latency_seconds_count", "time_per_output_token_seconds_count"),
}
# Of these at least one moves with every step of the engine. The others stand still through one long
# generation: alone, as with an engine of foreign names, they would tell a hang of one that is only busy.
STEPWISE = frozenset({"generated", "kv", "iterated", "streamed"})
# A client that gives up on a hung engine is counted too, and is no progress.
NO_PROGRESS = frozenset({("finished_reason", "abort"), ("finished_reason", "error")})
ASIDE = 0.25


class VllmEngine:
    """The EnginePort of one vLLM.

    `names` are the public model names. `pid` gives the unit's main pid (0: none), `incarnation` its present
    life. `deadline` bounds one look in seconds.
    """

    def __init__(
        self,
        url: str,
        names: tuple[str, ...],
        *,
        clock: Clock,
        pid: Callable[[], int],
        incarnation: Callable[[], str],
        deadline: float = 1.5,
    ) -> None:
        self._http = LocalHttp(url)
        self._names, self._clock = names, clock
        self._pid, self._incarnation = pid, incarnation
        self._deadline = deadline
        self._models = ModelList(self._http, clock, "/v1/models", model_ids)
        self._aside, self._size_aside = Aside("the engine's processes"), Aside("the model's size")
        self._main = Work()
        self._weights: tuple[int, int] = (0, 0)  # of this main pid, so many bytes

    async def look(self) -> EngineLook:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._deadline - ASIDE
        try:
            answer = await self._http.get("/metrics", end - loop.time())
        except RefusedError as error:
            return await self._refused(str(error))
        except PortError as error:
            return await self._silent(error)
        at = self._clock.now()
        models = await self._models.look(lambda: end - loop.time())
        load, progress = read_metrics(answer, at)
        return EngineLook(
            accepts=Value(True, at),
            models=models,
            progress=progress,
            load=load,
            lan=NotAvailable(at),
            warmup=NotAvailable(at),
        )

    async def generate(self, deadline: float) -> Generation:
        return await ask_all(
            self._names, partial(ask_tokens, self._http), deadline, self._clock, self._incarnation()
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _refused(self, reason: str) -> EngineLook:
        at = self._clock.now()
        ill = Failed(reason, at)
        return EngineLook(
            accepts=Value(False, at),
            models=ill,
            progress=ill,
            load=ill,
            lan=NotAvailable(at),
            warmup=await self._warmup(),
        )

    async def _warmup(self) -> Reading[Warmup]:
        pid = self._pid()
        try:
            if not pid:
                raise PortError("cannot read the engine's start: it has no process")
            total = await self._size(pid)
            return Value(await self._aside.read(lambda: warmup(pid, total), ASIDE), self._clock.now())
        except PortError as error:
            return Failed(str(error), self._clock.now())

    async def _size(self, pid: int) -> int:
        """Of the model's weights; asked once for each life. It is only shown: a slow disk spoils no look."""
        if self._weights[0] != pid:
            self._weights = (pid, 0)
            with suppress(PortError):
                self._weights = (pid, await self._size_aside.read(lambda: weights_of(pid), ASIDE))
        return self._weights[1]

    async def _silent(self, error: PortError) -> EngineLook:
        """No answer. The port takes connections if the question was taken; else all is unknown."""
        at = self._clock.now()
        ill = Failed(str(error), at)
        taken = isinstance(error, BrokenError) or (isinstance(error, SilentError) and error.taken)
        return EngineLook(
            accepts=Value(True, at) if taken else ill,
            models=ill,
            progress=await self._main_cpu() if taken else ill,
            load=ill,
            lan=NotAvailable(at),
            warmup=NotAvailable(at),
        )

    async def _main_cpu(self) -> Reading[Progress]:
        pid = self._pid()
        try:
            found = await self._aside.read(lambda: usages((pid,)), ASIDE)
        except PortError as error:
            return Failed(str(error), self._clock.now())
        at = self._clock.now()
        if not found:
            return Failed("cannot read the engine's CPU time: it has no process", at)
        return Value(Progress((("main_cpu", self._main.add(found, at)[0]),)), at)


def model_ids(body: dict[str, Any]) -> frozenset[str]:
    """The ids of an OpenAI model list; null stands for an empty one. PortError where one cannot be read."""
    return names_in(body, "data", "id")


def read_metrics(answer: Answer, at: float) -> tuple[Reading[Load], Reading[Progress]]:
    """n/a where the engine counts nothing (--disable-log-stats, no /metrics); Failed for a torn answer."""
    if answer.status == 404:
        return NotAvailable(at), NotAvailable(at)
    if answer.status != 200:
        ill = Failed(f"cannot read the metrics: /metrics answers {answer.status}", at)
        return ill, ill
    metrics = parse(answer.body)
    return _load(metrics, at), _progress(metrics, at)


def _load(metrics: Exposition, at: float) -> Reading[Load]:
    running, waiting = metrics.count(*RUNNING), metrics.count(*WAITING)
    if running is not None and waiting is not None:
        return Value(Load(running, waiting), at)
    if any(name in metrics.samples or name in metrics.doubtful for name in (*RUNNING, *WAITING)):
        return Failed("cannot trust the requests running and waiting in /metrics", at)
    return _missing(metrics, "the requests running and waiting", at)


def _progress(metrics: Exposition, at: float) -> Reading[Progress]:
    totals = {part: metrics.total(*names, without=NO_PROGRESS) for part, names in MOVING.items()}
    signature = tuple((part, total) for part, total in totals.items() if total is not None)
    if any(part in STEPWISE for part, _ in signature):
        return Value(Progress(signature), at)
    return _missing(metrics, "any counter of the engine's steps", at)


def _missing(metrics: Exposition, what: str, at: float) -> Failed | NotAvailable:
    if metrics.whole:
        return NotAvailable(at)
    return Failed(f"cannot find {what} in a torn answer of /metrics", at)
