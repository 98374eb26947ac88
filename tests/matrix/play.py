"""Plays one row: provision, serve, strike, watch, heal, serve again, judge."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.matrix import judge
from tests.matrix.fault import CannotHereError, Fault, known
from tests.matrix.named import named
from tests.matrix.row import Row
from tests.matrix.stage import CALM, Stage, staged
from tests.support.scenario import routed

from inferagent.lab.demo.host import CommandError, leaves


@dataclass
class Result:
    """Of one row; seconds, None where there is no such moment. `programs`: what ran at the struck host."""

    row: str
    green: bool
    date: str
    programs: list[str]
    out_s: float | None = None
    back_s: float | None = None
    roots: list[str] = field(default_factory=list)
    sent: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    took_s: float = 0.0
    skipped: str = ""  # what this machine lacks for the fault


async def play(row: Row, folder: Path, real: bool) -> Result:
    """Never raises for what the row itself does wrong: that is a problem of the row."""
    begun, fault = time.monotonic(), known()[row.strike]()
    found: list[str] = []
    result = Result(row.name, False, time.strftime("%Y-%m-%d"), [])
    async with staged(row, folder, real) as stage:
        result.programs = await named(stage.host)
        try:
            await _tell(stage, fault)
        except* (AssertionError, TimeoutError, CommandError, OSError) as errors:
            found += [str(error) or repr(error) for error in leaves(errors)]
        except* CannotHereError as errors:
            result.skipped = "; ".join(str(error) for error in leaves(errors))
        if stage.struck:
            found += await judge.problems(stage)
            _figures(stage, result)
    result.problems, result.green = found, not found and not result.skipped
    result.took_s = round(time.monotonic() - begun, 1)
    return result


def _figures(stage: Stage, result: Result) -> None:
    outcomes = stage.outcomes()
    result.out_s = None if stage.out is None else round(stage.out - stage.struck, 2)
    result.back_s = None if stage.back is None else round(stage.back - stage.struck, 2)
    result.sent = len(outcomes)
    result.failed = dict(Counter(one.cause for one in outcomes if one.cause))
    result.roots = list(dict.fromkeys(m.root for m in stage.watch.since(stage.struck) if m.root))


async def _tell(stage: Stage, fault: Fault) -> None:
    world = stage.world
    await fault.before(stage)
    for host in world.hosts:
        await world.own_token(host)
        await host.setup(world.info)
    for peer in stage.peers:
        await peer.start_agent()
    for peer in stage.peers:
        await stage.serving(peer, 90)
    await fault.start(stage)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(stage.watch.run())
        try:
            await _with_users(stage, fault, group)
        finally:
            watching.cancel()


async def _with_users(stage: Stage, fault: Fault, group: asyncio.TaskGroup) -> None:
    if fault.waits_for_serving:
        await stage.host.start_agent()
        await stage.serving()
    if fault.wants_traffic:
        stage.traffic.start(group)
    if fault.wants_traffic or fault.waits_for_serving:
        await asyncio.sleep(CALM)  # also until the watch has seen it serve
    try:
        await _struck(stage, fault)
    finally:
        if fault.wants_traffic:
            await stage.traffic.stop()


async def _struck(stage: Stage, fault: Fault) -> None:
    stage.notes["journal"] = len(await stage.world.ask("GET", "/journal"))
    stage.struck = stage.now
    try:
        await fault.strike(stage)
        if not fault.waits_for_serving and stage.host.agent is None:  # else the strike has started it itself
            await stage.host.start_agent()
        await _seen(stage)
    finally:
        await fault.heal(stage)
        stage.healed = stage.now
    if stage.row.back:
        await stage.serving(seconds=max(stage.row.back, stage.patience if stage.row.repair != "none" else 0))
        stage.back = stage.now
    extra = await fault.check(stage)
    assert not extra, "; ".join(extra)


async def _seen(stage: Stage) -> None:
    """Until the edge sends nothing more (leaves); else for the whole bound it must not (waits) or must."""
    row = stage.row

    async def gone() -> bool:
        return not await routed(stage.world, stage.host)

    if row.does == "joins":
        await stage.serving(seconds=row.bound)
        return
    if row.does == "either":
        await asyncio.sleep(row.bound)
        return
    if row.does == "leaves":
        await stage.until(gone, f"out of the pool ({row.fault})", row.bound)
        stage.out = stage.now
        return
    wrong, verb = (False, "was let in") if row.does == "waits" else (True, "left")
    begun = stage.now  # a strike may itself wait for an engine that boots
    while stage.now - begun < row.bound:
        assert await gone() != wrong, f"it {verb} after {stage.now - stage.struck:.1f} s"
        await asyncio.sleep(0.2)
