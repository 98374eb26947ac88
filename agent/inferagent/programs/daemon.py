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
from inferagent.config.fragments import config_files
from inferagent.config.load import Loaded
from inferagent.config.secrets import SecretError
from inferagent.config.settings import Settings
from inferagent.config.terms import terms_of
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired
from inferagent.model.gpu import GpuReport
from inferagent.model.membership import MembershipKind
from inferagent.model.observed import Observed
from inferagent.model.reading import Reading, Value
from inferagent.model.status import Status
from inferagent.model.unit import Part
from inferagent.ports import PortError
from inferagent.programs.checks import Checks
from inferagent.programs.front import FrontDesk
from inferagent.programs.helpers import Helpers
from inferagent.programs.notices import make_notices
from inferagent.programs.parts import BAD_CONFIGURATION, engine_address, make
from inferagent.programs.reload import Reloader, apply_live, generation_bound
from inferagent.programs.setup import made_pool
from inferagent.programs.unconfigured import CURE, Unconfigured
from inferagent.runtime.act import Hands
from inferagent.runtime.board import Board
from inferagent.runtime.control import Access, ControlError, only_agent, serve_control
from inferagent.runtime.jobs import Jobs
from inferagent.runtime.logs import configure
from inferagent.runtime.loop import Loop
from inferagent.runtime.metrics import Metrics
from inferagent.runtime.metrics_http import metrics_tasks
from inferagent.runtime.notify import Notifier
from inferagent.runtime.probes import Probe
from inferagent.runtime.recorder import Recorder

log = structlog.get_logger()

KEEPERS_EVERY = 10.0
LAST_EVENTS = 1.0  # seconds that the event file gets to take the last ones, before the agent ends
THREADS = 32
CONFIGURED = -1  # no exit code: an unconfigured host has got a configuration
SETUP_EVERY = 1.0  # seconds between two looks whether somebody has configured the host


def run(loaded: Loaded) -> int:
    """Until SIGTERM or SIGINT: the exit code, or CONFIGURED. ControlError where another agent answers."""
    configure(debug=bool(os.environ.get("INFERAGENT_DEBUG")))
    try:
        return asyncio.run(_run(loaded))
    except SecretError as error:
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
    hangup = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    with only_agent(loaded.agent.run):
        if loaded.settings is None:
            return await _wait_unconfigured(loaded, stop)
        daemon = Daemon(loaded, loaded.settings, hangup)
        await _until(stop, daemon.run)
        await daemon.end()
    log.info("agent stopped: engine, connector and ready URL run on, the pool is as it was")
    return 0


async def _wait_unconfigured(loaded: Loaded, stop: asyncio.Event) -> int:
    desk, notifier, configured = Unconfigured(), Notifier(), asyncio.Event()
    log.info("this host is not configured: waiting", cure=CURE)

    async def serve() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(serve_control(loaded.agent.run, desk, access=access_of(loaded)))
            group.create_task(desk.keep_telling(notifier.tell))
            group.create_task(until_configured())

    async def until_configured() -> None:
        while True:
            if not stop.is_set() and config_files(loaded.folder):
                configured.set()
                stop.set()
            await asyncio.sleep(SETUP_EVERY)

    await _until(stop, serve)
    if not configured.is_set():
        return 0
    log.info("this host has a configuration now")
    return CONFIGURED


def access_of(loaded: Loaded) -> Access:
    return Access(loaded.agent.readers, loaded.agent.operators)


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

    def __init__(self, loaded: Loaded, settings: Settings, hangup: asyncio.Event) -> None:
        self._settings, self._run = settings, loaded.agent.run
        self._access, self._hangup = access_of(loaded), hangup
        self.board = Board(lambda: self.loop.woken.set())
        self._parts = make(loaded, settings, self.board)
        self.jobs = Jobs(self._parts.clock, lambda: self.loop.woken.set())
        self._notify = Notifier()
        self._probes = self._make_probes()
        self._notices, use_receivers = make_notices(loaded, settings, self._parts.clock, self.board.troubles)
        self._checks = Checks(self._parts.clock, self.board, settings, self._run)
        self._recorder = Recorder(self._parts.events, self._parts.clock)
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
            record=self._record,
        )

        applied = [self._apply, use_receivers, self._checks.apply]
        self._reloader = Reloader(loaded.folder, settings, applied, self._notify.reloading)
        self.metrics = Metrics(self.loop.status, lambda: self.loop.bugs, self.board)
        self.desk = FrontDesk(self.loop, self._reloader.reload, self.metrics.text, self._notices.test)

    def _apply(self, settings: Settings) -> None:
        self._settings = settings
        apply_live(settings, self.loop, self._probes)

    def _tasks(self) -> list[Callable[[], Awaitable[None]]]:
        """Everything that runs side by side."""
        units, board = self._parts.units, self.board
        return [
            lambda: units[Part.ENGINE].watch(board.put("engine_unit")),
            lambda: units[Part.CONNECTOR].watch(board.put("connector_unit")),
            *(probe.run for probe in self._probes.values()),
            self._keep_helpers,
            self._notices.run,
            self._checks.run,
            lambda: self._reloader.watch(self._hangup),
            self.loop.run,
            *metrics_tasks(self._settings.metrics.listen, self.metrics, board.troubles),
        ]

    async def run(self) -> None:
        """Open the control sockets first: where another agent answers, nothing else may begin."""
        open_now, troubles = asyncio.Event(), self.board.troubles
        async with asyncio.TaskGroup() as group:
            group.create_task(serve_control(self._run, self.desk, open_now, self._access, troubles))
            await open_now.wait()
            self.loop.begin()
            self._notices.begin()
            for run in self._tasks():
                group.create_task(_one(run))

    async def end(self) -> None:
        await self.jobs.cancel()
        await self._notices.end()
        self._parts.events.flush(LAST_EVENTS)

    def _make_probes(self) -> dict[str, Probe[Any]]:
        parts, probe, put = self._parts, self._settings.probe, self.board.put
        made: list[Probe[Any]] = [
            Probe("the engine", parts.clock, parts.engine.look, put("engine"), 3.0, probe.look),
            Probe("the connector", parts.clock, self._connector, put("connector"), 3.0, probe.look),
            Probe("the pool", parts.clock, parts.membership.read, put("membership"), 10.0, probe.membership),
            Probe(
                "a generation",
                parts.clock,
                lambda: parts.engine.generate(self._settings.probe.generation_deadline),
                put("generation"),
                generation_bound(self._settings),
            ),
            Probe("the engine's port", parts.clock, parts.port_owner.look, self.board.put_occupant, 3.0),
            Probe("the host", parts.clock, parts.host.look, put("host"), 5.0, probe.host),
            Probe("the GPUs", parts.clock, self._gpus, self._put_gpus, 2.0, probe.gpus),
        ]
        return {probe.name: probe for probe in made}

    async def _connector(self) -> object:
        look = await self._parts.connector.look()
        self.board.asked = asked(self._run)  # right after: what was asked between the two looks like arrivals
        return look

    async def _gpus(self) -> Reading[GpuReport]:
        self.board.kernel = self._parts.gpus.kernel()
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
        probes["the engine's port"].set_pace(pace.port)

    def _publish(self, document: Status) -> None:
        self._notify.tell(document)

    def _record(self, observed: Observed, desired: Desired, decision: Decision) -> None:
        self._recorder.tick(observed, desired, decision)
        self.metrics.counters.tick(observed, desired, decision)
        if self.loop.document is not None:
            self._notices.tick(observed, decision, self.loop.document)

    async def _keep_helpers(self) -> None:
        """The ready program and the GPU probe outlive the agent; start what is missing, wait for neither."""
        troubles, host_port = self.board.troubles, "{}:{}".format(*engine_address(self._settings))
        child = not self._settings.only_engine.unit
        helpers = Helpers(self._run, troubles, engine_is_child=child)
        while True:
            troubles["state-damaged"] = self._parts.state.problem
            self._parts.events.append(())  # what could not be written is tried again
            troubles["events-not-written"] = self._parts.events.problem
            await helpers.look(self._settings.ready.port, host_port)
            await helpers.rest(KEEPERS_EVERY)


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
