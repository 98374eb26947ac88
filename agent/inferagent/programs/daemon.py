"""The agent: adapters, probes and the loop wired together; a signal ends it and touches nothing outside."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from inferagent.adapters.cloudflare.identity import machine_identity
from inferagent.config.load import Loaded
from inferagent.config.secrets import SecretError
from inferagent.config.settings import Settings
from inferagent.config.terms import terms_of
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired
from inferagent.model.gpu import GpuReport
from inferagent.model.membership import MembershipKind
from inferagent.model.reading import Reading, Value
from inferagent.model.status import Status
from inferagent.model.unit import Part
from inferagent.ports import PortError
from inferagent.programs import gpu_probe_starter, ready_starter
from inferagent.programs.parts import BAD_CONFIGURATION, CannotRunError, engine_address, make
from inferagent.programs.setup import made_pool
from inferagent.programs.unconfigured import CURE, Unconfigured
from inferagent.runtime.act import Hands
from inferagent.runtime.board import Board
from inferagent.runtime.control import ControlError, serve_control
from inferagent.runtime.jobs import Jobs
from inferagent.runtime.logs import configure
from inferagent.runtime.loop import Loop
from inferagent.runtime.notify import Notifier
from inferagent.runtime.probes import Probe
from inferagent.runtime.recorder import Recorder

log = structlog.get_logger()

SOCKET = "control.sock"
KEEPERS_EVERY = 10.0
LAST_EVENTS = 1.0  # seconds that the event file gets to take the last ones, before the agent ends
THREADS = 32


def run(loaded: Loaded) -> int:
    """Until SIGTERM or SIGINT; the exit code. Raises ControlError when another agent answers."""
    configure(debug=bool(os.environ.get("INFERAGENT_DEBUG")))
    try:
        return asyncio.run(_run(loaded))
    except (CannotRunError, SecretError) as error:
        log.error(str(error), cure=error.cure)
        return BAD_CONFIGURATION
    except PortError as error:
        log.error(str(error))
        return 1
    except PermissionError as error:
        log.error(f"cannot use {error.filename}: permission denied", cure="run the command with sudo")
        return 1


async def _run(loaded: Loaded) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # a resolver that hangs holds a thread for half a minute: others must not wait behind it
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "aside"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if loaded.settings is None:
        desk = Unconfigured()
        Notifier().tell(desk.status())
        log.info("this host is not configured: waiting", cure=CURE)
        await _until(stop, lambda: serve_control(loaded.agent.run / SOCKET, desk))
        return 0
    daemon = Daemon(loaded, loaded.settings)
    await _until(stop, daemon.run)
    await daemon.end()
    log.info("agent stopped: engine, connector and ready URL run on, the pool is as it was")
    return 0


async def _until(stop: asyncio.Event, run: Callable[[], Awaitable[None]]) -> None:
    """Run until `stop`, or until it fails; of several errors at once the first is raised."""
    failed: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_one(run))
            await stop.wait()
            task.cancel()
    except* (PortError, ControlError, OSError, RuntimeError) as errors:
        failed = _first(errors)  # raised below: inside it would be wrapped once more
    if failed is not None:
        raise failed


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


async def _one(run: Callable[[], Awaitable[None]]) -> None:
    await run()


class Daemon:
    """One configured host's agent."""

    def __init__(self, loaded: Loaded, settings: Settings) -> None:
        self._settings, self._run = settings, loaded.agent.run
        self._control = loaded.agent.run / SOCKET
        self.board = Board(lambda: self.loop.woken.set())
        self._parts = make(loaded, settings, self.board)
        self.jobs = Jobs(self._parts.clock, lambda: self.loop.woken.set())
        self._notify = Notifier()
        self._probes = self._make_probes()
        self.loop = Loop(
            host=settings.host.name,
            clock=self._parts.clock,
            board=self.board,
            hands=Hands(self._parts.units, self._parts.membership, self.jobs, self._reread),
            state=self._parts.state,
            verdict=self._parts.verdict,
            desired=desired(loaded, settings),
            pace=self._pace,
            publish=self._publish,
            record=Recorder(self._parts.events, self._parts.clock).tick,
        )

    def _tasks(self) -> list[Callable[[], Awaitable[None]]]:
        """Everything that runs side by side."""
        units, board = self._parts.units, self.board
        return [
            lambda: units[Part.ENGINE].watch(board.put("engine_unit")),
            lambda: units[Part.CONNECTOR].watch(board.put("connector_unit")),
            *(probe.run for probe in self._probes.values()),
            self._keep_helpers,
            self.loop.run,
        ]

    async def run(self) -> None:
        """Open the control socket first: where another agent answers, nothing else may begin."""
        open_now = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(serve_control(self._control, self.loop, open_now))
            await open_now.wait()
            self.loop.begin()
            for run in self._tasks():
                group.create_task(_one(run))

    async def end(self) -> None:
        await self.jobs.cancel()
        self._parts.events.flush(LAST_EVENTS)

    def _make_probes(self) -> dict[str, Probe[Any]]:
        parts, probe, put = self._parts, self._settings.probe, self.board.put
        generation = probe.generation_deadline
        made: list[Probe[Any]] = [
            Probe("the engine", parts.clock, parts.engine.look, put("engine"), 3.0, probe.look),
            Probe("the connector", parts.clock, self._connector, put("connector"), 3.0, probe.look),
            Probe("the pool", parts.clock, parts.membership.read, put("membership"), 10.0, probe.membership),
            Probe(
                "a generation",
                parts.clock,
                lambda: parts.engine.generate(generation),
                put("generation"),
                3 * generation + 5.0,
            ),
            Probe("the host", parts.clock, parts.host.look, put("host"), 5.0, probe.host),
            Probe("the GPUs", parts.clock, self._gpus, self._put_gpus, 2.0, probe.gpus),
        ]
        return {probe.name: probe for probe in made}

    async def _connector(self) -> object:
        look = await self._parts.connector.look()
        self.board.asked = asked(self._run)  # right after: what was asked between the two looks like arrivals
        return look

    async def _gpus(self) -> Reading[GpuReport]:
        return await self._parts.gpus.look()

    def _put_gpus(self, reading: Reading[Reading[GpuReport]]) -> None:
        """The report brings its own time and its own n/a."""
        inner = reading.value if isinstance(reading, Value) else reading
        self.board.put("gpus")(inner)

    def _reread(self) -> None:
        self._probes["the pool"].nudge()

    def _pace(self, decision: Decision) -> None:
        pace, probes = decision.pace, self._probes
        probes["the engine"].set_pace(min(pace.look, self._settings.probe.look))
        probes["the connector"].set_pace(min(pace.look, self._settings.probe.look))
        probes["the pool"].set_pace(pace.membership)
        probes["a generation"].set_pace(pace.generation)

    def _publish(self, document: Status) -> None:
        self._notify.tell(document)

    async def _keep_helpers(self) -> None:
        """The ready program and the GPU probe outlive the agent; start what is missing, wait for neither."""
        troubles, host_port = self.board.troubles, "{}:{}".format(*engine_address(self._settings))
        while True:
            troubles["state-damaged"] = self._parts.state.problem
            self._parts.events.append(())  # what could not be written is tried again
            troubles["events-not-written"] = self._parts.events.problem
            try:
                await ready_starter.ensure(self._run, self._settings.ready.port, host_port)
                troubles["no-ready-program"] = ""  # only now: while it is tried again, it is still missing
            except PortError as problem:
                troubles["no-ready-program"] = str(problem)
            try:
                gpu_probe_starter.ensure(self._run)
                troubles["no-gpu-probe"] = ""
            except PortError as problem:
                troubles["no-gpu-probe"] = str(problem)
            await asyncio.sleep(KEEPERS_EVERY)


def desired(loaded: Loaded, settings: Settings) -> Desired:
    """What is wanted at the start; the hold is read with the saved state."""
    ours = made_pool(loaded.agent.state)
    terms = terms_of(settings, machine=machine_identity(), made_by_setup=ours)
    own_pool = terms.membership is MembershipKind.OWN_POOL
    terms = terms if own_pool else replace(terms, made_by_setup=True)
    return Desired(terms=terms, mode=settings.mode)


def asked(run: Path) -> int:
    """How many probes of the monitor the ready program has answered, 0 where it left no count."""
    try:
        return int((run / "asked").read_text("ascii").strip() or 0)
    except (OSError, ValueError):
        return 0
