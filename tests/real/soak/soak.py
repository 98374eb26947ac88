"""The soak: one world, users all the while, and fault after fault, each followed until all is well again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.lab import provision, say
from tests.real.soak.family import Ending
from tests.real.soak.fault import Chapter, Fault
from tests.real.soak.measure import Meter
from tests.real.soak.scene import Scene

from inferagent.lab.demo.host import CommandError, leaves
from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.demo.world import Timing, open_world
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import mixed

CACHE = 1.0
TIMING = Timing(
    monitor_interval=5,
    interval_scale=0.4,
    lag=(0.0, 2.0),
    cache=CACHE,
    latency=0.1,
    settings={
        "drain.settle": "4s",
        "drain.quiet": "2s",
        "drain.deadline": "60s",
        "limits.hold_off": "3s",
        "limits.hold_off_reset": "5s",
        "limits.joins_per_hour": 600,
        "limits.restarts_per_hour": 60,
        "limits.no_edge": "25s",
        "limits.reconnect_first": "10s",
        "limits.reconnect_last": "30s",
        "probe.look": "1s",
        "probe.membership": "2s",
        "probe.generation_deadline": "4s",
        "probe.hang_frozen": "8s",
        "probe.hang_frozen_traffic": "6s",
    },
)
RATE = 2.0  # requests a second
STEADY = 3.0  # seconds for which all must be well before a fault counts as over
CALM = 5.0  # seconds of quiet before each fault, and after the last
BEGINNING = Fault("the first join", strike=lambda _: asyncio.sleep(0), leaves="never")


@dataclass
class Told:
    """What a soak has seen. `ran`: seconds under users; `died`: how lives of the engine ended, by fault."""

    scene: Scene
    meter: Meter
    traffic: Traffic
    begun: float = 0.0
    ran: float = 0.0
    died: list[tuple[str, Ending]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@asynccontextmanager
async def staged(
    folder: Path, engine: str, stand_ins: bool, environment: dict[str, str], seed: int
) -> AsyncIterator[Told]:
    """Both hosts serve. The soaked one is real where it can be, the peer never."""
    async with open_world(folder, TIMING, seed) as world:
        host = world.add("soaked", engine, 50, stand_in=stand_ins)
        peer = world.add("peer", "vllm", 50, stand_in=True)
        scene = Scene(world, host, peer, environment)
        scene.chapters.append(Chapter(BEGINNING, _now()))
        await provision(world, world.hosts)
        for each in (peer, host):
            await scene.start_agent(each)
        for each in (peer, host):
            await scene.serving(each)
        await asyncio.sleep(STEADY)
        await scene.note_usual()
        scene.chapter.ended = _now()
        kinds = mixed(0.3, 4, 24, bound=30.0, stream_bound=45.0)
        exact = not host.engine.real
        traffic = Traffic(world.info["public"], PUBLIC_NAME, kinds, RATE, world.public_host, exact)
        yield Told(scene, Meter(host), traffic)


async def soak(told: Told, dealt: Iterator[Fault], seconds: float) -> None:
    """Fault after fault until the time is over; a host that does not come back ends it."""
    async with asyncio.TaskGroup() as group:
        watchers = [group.create_task(told.scene.watch_edge()), group.create_task(told.meter.run())]
        told.traffic.start(group)
        try:
            await play(told, dealt, seconds)
        finally:
            told.ran = _now() - told.begun
            await told.traffic.stop()
            for watcher in watchers:
                watcher.cancel()


async def play(told: Told, dealt: Iterator[Fault], seconds: float) -> None:
    """From now on; the first chapter that does not end well is the last."""
    told.begun = _now()
    for fault in dealt:
        late = fault.ends_agent and _now() - told.begun > seconds / 2
        await asyncio.sleep(0.1 if late else CALM)
        if _now() - told.begun >= seconds:
            return
        if late:
            continue
        await _told_of(told, fault)
        if told.problems:
            say(f"broken off: {told.problems[-1]}")
            return


async def _told_of(told: Told, fault: Fault) -> None:
    try:
        await _chapter(told, fault)
    except* (TimeoutError, CommandError, AssertionError, OSError) as errors:
        said = "; ".join(str(error) or repr(error) for error in leaves(errors))
        told.problems.append(f"{fault.name}: {said}")


async def _chapter(told: Told, fault: Fault) -> None:
    scene = told.scene
    chapter = Chapter(fault, _now())
    scene.chapters.append(chapter)
    scene.vigil = None
    try:
        await fault.strike(scene)
        if fault.leaves == "must":
            await scene.gone()
        await scene.back()
        await asyncio.sleep(STEADY)
        await scene.back()
        if fault.new_life:
            await scene.until("the engine has a new life", lambda: _renewed(scene), 60.0)
    finally:
        chapter.out = scene.let_go(chapter.struck or chapter.begun)
        if scene.vigil is not None:
            told.died.append((fault.name, scene.vigil.end()))
    chapter.ended = _now()
    say(_line(chapter, told))


def _now() -> float:
    """The clock of the loop, which is time.monotonic."""
    return asyncio.get_running_loop().time()


async def _renewed(scene: Scene) -> bool:
    pid = scene.host.pid("engine")
    return scene.vigil is not None and pid not in (0, scene.vigil.life.leader.pid)


def _line(chapter: Chapter, told: Told) -> str:
    struck, ended = chapter.struck or chapter.begun, chapter.ended or chapter.begun
    out = "stayed" if chapter.out is None else f"out after {chapter.out - struck:.1f} s"
    failed = sum(not one.ok and one.end >= struck for one in told.traffic.outcomes)
    past = (_now() - told.begun) / 60
    return f"{past:4.1f} min  {chapter.fault.name}: {out}, well after {ended - struck:.1f} s, {failed} failed"
