"""Ollama: no counters, so movement is read from its sockets and its runners' CPU time and memory.

A generation has three steps: the model is loaded by a request that outlives the deadline (loading.py), then
asked on `/v1` as users do, then its stay is set back to what it was (stay.py).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inferagent.adapters.engine.admission import Admission
from inferagent.adapters.engine.aside import Aside
from inferagent.adapters.engine.generation import Asked, ask_all, ask_tokens
from inferagent.adapters.engine.loading import Loader
from inferagent.adapters.engine.models import ModelList, names_in
from inferagent.adapters.engine.processes import Usage, port_argument, tree, usages
from inferagent.adapters.engine.runner import Answers, Work
from inferagent.adapters.engine.sockets import Connection, EngineSockets, awaiting, requests
from inferagent.adapters.engine.stay import Stay, listed, spellings
from inferagent.adapters.engine.warmup import summed
from inferagent.adapters.local_http import BrokenError, LocalHttp, RefusedError, SilentError
from inferagent.model.engine import EngineLook, Generation, Outcome, Progress, Warmup
from inferagent.model.reading import Failed, NotAvailable, Reading, Value, known
from inferagent.ports import Clock, PortError

ASIDE = 0.4
RESTORE = 0.3


@dataclass(frozen=True, slots=True)
class _Inside:
    """What the kernel says: connections and processes, each None where it cannot be read."""

    sockets: tuple[Connection, ...] | None
    inner: tuple[Connection, ...]
    processes: tuple[Usage, ...] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Front:
    """What the port says."""

    accepts: Reading[bool]
    loaded: list[dict[str, Any]]


class OllamaEngine:
    """The EnginePort of one Ollama.

    `names` are the public model names. `pid` and `connector` give main pids (0: none), `incarnation` the
    engine's present life. `gpu` gives a number that moves while its runner uses a GPU, or None; `wants_gpu`:
    a GPU is expected to hold the models; `host`: the Host header of the users' requests, "" where it is
    unknown. `deadline` bounds one look in seconds.
    """

    def __init__(
        self,
        url: str,
        names: tuple[str, ...],
        *,
        clock: Clock,
        pid: Callable[[], int],
        incarnation: Callable[[], str],
        connector: Callable[[], int],
        gpu: Callable[[], float | None] | None = None,
        wants_gpu: Callable[[], bool] = bool,
        host: Callable[[], str] = str,
        deadline: float = 1.5,
        sockets: EngineSockets | None = None,
    ) -> None:
        self._http = LocalHttp(url)
        self._names, self._clock, self._deadline = names, clock, deadline
        self._pid, self._incarnation = pid, incarnation
        self._gpu, self._placed = gpu, Placed(wants_gpu, incarnation)
        self._admission = Admission(LocalHttp(url), clock, host, "/api/version")
        self._sockets = sockets or EngineSockets(self._http.place[1], connector)
        self._models = ModelList(self._http, clock, "/api/tags", self._listed, names)
        self._sizes: dict[str, int] = {}
        self._loader, self._stay = Loader(*self._http.place), Stay(self._http)
        self._look_aside, self._ask_aside = Aside("the engine's sockets"), Aside("the engine's sockets")
        self._answers, self._work = Answers(), Work()
        self._moved: Progress | None = None

    async def look(self) -> EngineLook:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._deadline - ASIDE
        front = await self._front(end - loop.time())
        models: Reading[frozenset[str]]
        refuses = self._admission.refused
        if known(front.accepts):
            models = await self._models.look(lambda: end - loop.time())
            refuses = await self._admission.look(end - loop.time())
        else:
            models = Failed("cannot list the models: the port does not answer", self._clock.now())
        inside = await self._inside()
        at = self._clock.now()
        progress = self._progress(inside, at)
        # What cannot be told counts as work: a doubtful connection is then a request.
        working = known(progress) is None or known(progress) != self._moved
        self._moved = known(progress)
        return EngineLook(
            accepts=front.accepts,
            models=models,
            progress=progress,
            load=NotAvailable(at),
            lan=_lan(inside, at, working),
            warmup=_warmup(inside, sum(self._sizes.get(name, 0) for name in self._names), at),
            degraded=self._placed.look(front.loaded),
            refuses=refuses,
        )

    def _listed(self, body: dict[str, Any]) -> frozenset[str]:
        """The models, their sizes noted."""
        names = model_names(body)
        self._sizes = sizes(body)
        return names

    async def generate(self, deadline: float) -> Generation:
        found = await ask_all(self._names, self._ask, deadline, self._clock, self._incarnation())
        if found.outcome is Outcome.WRONG:
            self._models.doubt()
        return found

    async def aclose(self) -> None:
        await self._loader.aclose()
        await self._admission.http.aclose()
        await self._http.aclose()

    async def _ask(self, name: str, timeout: float) -> Asked:
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        before = await self._requests()
        stay = await self._stay.read(name, min(1.0, timeout))
        asked = await self._loader.load(name, end - loop.time())
        if asked.outcome is Outcome.OK:
            asked = await ask_tokens(self._http, name, end - loop.time())
        if asked.outcome is Outcome.UNANSWERED or stay is None or before is None:
            return asked
        if before == await self._requests():
            await self._stay.restore(name, stay, RESTORE)
        return asked

    async def _requests(self) -> frozenset[Any] | None:
        """What others have asked so far; None where that is unknown, or somebody still waits."""
        try:
            found = await self._ask_aside.read(self._sockets.look, ASIDE)
        except PortError:
            return None
        return None if awaiting(found, working=True) else requests(found)

    async def _front(self, timeout: float) -> _Front:
        try:
            answer = await self._http.get("/api/ps", timeout)
        except RefusedError:
            return _Front(Value(False, self._clock.now()), [])
        except PortError as error:
            at = self._clock.now()
            taken = isinstance(error, BrokenError) or (isinstance(error, SilentError) and error.taken)
            return _Front(Value(True, at) if taken else Failed(str(error), at), [])
        accepts = Value(True, self._clock.now())
        try:
            return _Front(accepts, listed(answer.mapping()))
        except PortError:
            return _Front(accepts, [])

    async def _inside(self) -> _Inside:
        pid = self._pid()
        try:
            return await self._look_aside.read(lambda: self._read(pid), ASIDE)
        except PortError as error:
            return _Inside(None, (), None, str(error))

    def _read(self, pid: int) -> _Inside:
        """In a thread: no state of this object is touched."""
        processes = usages(tree(pid)) or None
        ports = [port for one in (processes or ())[1:] if (port := port_argument(one.pid))]
        try:
            inner = tuple(one for port in ports for one in self._sockets.inner(port))
            return _Inside(self._sockets.look(), inner, processes)
        except OSError as error:
            return _Inside(None, (), processes, f"cannot read the engine's sockets: {error}")

    def _progress(self, inside: _Inside, at: float) -> Reading[Progress]:
        """All processes but the first are runners; the server itself also answers lists."""
        signature: list[tuple[str, float]] = []
        if inside.sockets is not None:
            signature.append(("answered", self._answers.add(inside.sockets + inside.inner)))
        if inside.processes is not None:
            cpu, memory = self._work.add(inside.processes[1:], at)
            signature += [("runner_cpu", cpu), ("runner_memory", memory)]
        if not signature:
            return Failed(inside.problem or "cannot tell whether the engine works", at)
        gpu = self._gpu() if self._gpu else None
        if gpu is not None:
            signature.append(("gpu", gpu))
        return Value(Progress(tuple(signature)), at)


def _lan(inside: _Inside, at: float, working: bool) -> Reading[int]:
    if inside.sockets is None:
        return Failed(inside.problem, at)
    return Value(awaiting(inside.sockets, working), at)


def _warmup(inside: _Inside, total: int, at: float) -> Reading[Warmup]:
    """Also while the port accepts: it opens at once, and loading a model, by a runner, is what takes long."""
    found = inside.processes
    if found is None:
        return Failed(inside.problem or "cannot read the engine's start: it has no process", at)
    return Value(summed(found, found[1:], total), at)


def model_names(body: dict[str, Any]) -> frozenset[str]:
    """Every model of /api/tags, with and without `:latest`; null stands for an empty list."""
    return frozenset().union(*map(spellings, names_in(body, "models", "name")))


def sizes(body: dict[str, Any]) -> dict[str, int]:
    """Bytes of every model of /api/tags, by each spelling of its name; what is no number is left out."""
    found = [(str(one.get("name", "")), one.get("size")) for one in listed(body)]
    return {spelt: size for name, size in found if type(size) is int for spelt in spellings(name)}


@dataclass(slots=True)
class Placed:
    """Where the models of one life of the engine lie. It finds its GPUs once, so what was seen stands while
    nothing is loaded: a host that has left for it would otherwise come back with each keep_alive."""

    wants_gpu: Callable[[], bool]
    incarnation: Callable[[], str]
    _told: str = ""
    _life: str = ""

    def look(self, loaded: list[dict[str, Any]]) -> str:
        """ "" or what is not as wanted."""
        life = self.incarnation()
        if loaded or life != self._life:
            self._told, self._life = degraded(loaded), life
        return self._told if self.wants_gpu() else ""


def degraded(loaded: list[dict[str, Any]]) -> str:
    """ "" or which loaded model is not wholly on the GPU. An unloaded model is normal."""
    for entry in loaded:
        size, held = entry.get("size"), entry.get("size_vram")
        if not isinstance(size, int) or not isinstance(held, int) or size <= 0 or held >= size:
            continue
        how = (
            "runs on the CPU" if held <= 0 else f"runs partly on the CPU ({held * 100 // size} % on the GPU)"
        )
        return f"model {entry.get('name', '')} {how}"
    return ""
