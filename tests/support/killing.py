"""Rounds in which a real agent is killed in the middle of a drain, and started again after a while.

A drain by the operator that stops the engine, or one because the engine is killed. What is judged was seen
from outside of the agent, but for its own word on its phase.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.support.killing_judge import Evidence, of_drain, of_engine_kill
from tests.support.killing_plan import MOST_AFTER_VERDICT, Point, Round, plan
from tests.support.killing_world import SAID, STOP_SECONDS, TERMS, TERMS_OF_KILL, Struck, opened
from tests.support.outside import between

KILLER = Path(__file__).with_name("killer.py")
ABSENT = (0.05, 0.8)  # seconds until a killed agent is started again
AGAIN = 0.25  # how often it is killed once more, within a second of its first answer
CALM = 2.0  # seconds; after one second of serving the hold-off begins anew
SLOW = 45.0  # seconds after which nothing will come any more
LOOK = 0.05
DRAIN, RETURN = 2.0, 6.0  # seconds: what an undisturbed one took when nobody asks for it to be measured
IN_DRAIN = {"verdict": MOST_AFTER_VERDICT, "stop": STOP_SECONDS}
IN_RETURN = {"verdict": MOST_AFTER_VERDICT}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Played:
    drains: list[Round]
    kills: list[Round]


async def play(folder: Path, seed: int, drains: int, kills: int, say: Say, measure: bool = True) -> Played:
    """So many rounds of `drain --stop-engine`, then of a killed engine's return; a line each as it ends.

    `measure` finds out first how long each takes undisturbed.
    """
    async with opened(folder, seed) as struck:
        stage = Stage(struck, random.Random(seed))
        await until(stage.serving, "both serve")
        say(f"seed {seed}; {SAID}")
        whole = await stage.calm_drain() if measure and drains else DRAIN
        points = plan(stage.chance, drains, whole, IN_DRAIN)
        say(f"{len(points)} kills of the agent in drains, which take {whole * 1000:.0f} ms undisturbed")
        drained = [await told(stage.drain(number, point), say) for number, point in enumerate(points, 1)]
        whole = await stage.calm_return() if measure and kills else RETURN
        points = plan(stage.chance, kills, whole, IN_RETURN)
        say(
            f"{len(points)} kills in returns of a killed engine, which take {whole * 1000:.0f} ms undisturbed"
        )
        returned = [await told(stage.kill(number, point), say) for number, point in enumerate(points, 1)]
    return Played(drained, returned)


async def told(playing: Awaitable[Round], say: Say) -> Round:
    played = await playing
    say(played.line())
    return played


@dataclass
class Stage:
    """`phases`: each answer of an agent since the last kill."""

    struck: Struck
    chance: random.Random
    phases: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host, self.outside = self.struck.host, self.struck.outside
        self.state = self.host.folder / "state"

    # a drain by the operator

    async def calm_drain(self) -> float:
        """Seconds that an undisturbed one takes, the engine's stop included."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._order())
            await until(self._held, "the hold is written")
            await until(self._out_and_stopped, "out with the engine stopped")
        ended, what, _ = self.outside.lives(0.0)[-1]
        assert what == "end"
        began = (self.state / "hold.json").stat().st_mtime
        await self._resume()
        return ended - began

    async def drain(self, number: int, point: Point) -> Round:
        """Ends with the host serving again, for the next round."""
        first = time.time()
        async with asyncio.TaskGroup() as group:
            killer = await self._killer(point, self.state / "hold.json")
            group.create_task(self._order())
            killed = await self._strike(killer)
        began = (self.state / "hold.json").stat().st_mtime
        found, left = self._saved()
        back, resumed, again = await self._return()
        await until(self._out_and_stopped, f"round {number}: out with the engine stopped")
        ended = time.time()
        seen = await self._evidence(began, ended)
        seen = replace(seen, found=found, left_at=(left, self._saved()[1]), held=await self._held())
        await self._resume()
        failed, sent = self._requests(first)
        breaches = of_drain(replace(seen, took=ended - back, failed=failed), TERMS)
        times = (killed - began, found, resumed, back - killed, ended - back)
        return Round(number, point, *times, again, len(failed), sent, tuple(breaches))

    async def _order(self) -> None:
        """The agent may be killed before it has answered."""
        words = ("drain", "--stop-engine", "--reason", "scenario", "--config", str(self.host.config))
        await self.host.command(*words, allowed=(0, 3))

    async def _resume(self) -> None:
        await self.host.command("resume", "--config", str(self.host.config))
        await until(self.serving, f"{self.host.name} serves after resume")

    async def _held(self) -> bool:
        return (self.state / "hold.json").exists()

    async def _out_and_stopped(self) -> bool:
        status = await self._status()
        return status is not None and status["phase"] == "out" and self.host.pid("engine") == 0

    # a drain because the engine is killed

    async def calm_return(self) -> float:
        await until(self._calm, "it has served for a while")
        begun = time.time()
        self.host.kill_engine()
        await until(self._back_since(begun), "serves with a new engine")
        return time.time() - begun

    async def kill(self, number: int, point: Point) -> Round:
        """Ends with the host serving again."""
        await until(self._calm, "it has served for a while")  # else the hold-off grows from round to round
        first = time.time()
        killer = await self._killer(point, self.host.run / "units" / "engine.json")
        began = time.time()
        self.host.kill_engine()
        killed = await self._strike(killer)
        found, _ = self._saved()
        back, resumed, again = await self._return()
        await until(self._back_since(began), f"round {number}: serves with a new engine")
        ended = time.time()
        failed, sent = self._requests(first)
        seen = replace(await self._evidence(began, ended), found=found, took=ended - back, failed=failed)
        breaches = of_engine_kill(seen, TERMS_OF_KILL)
        times = (killed - began, found, resumed, back - killed, ended - back)
        return Round(number, point, *times, again, len(failed), sent, tuple(breaches))

    async def _calm(self) -> bool:
        status = await self._status()
        return status is not None and status["phase"] == "serving" and status["seconds"] > CALM

    def _back_since(self, began: float) -> Callable[[], Awaitable[bool]]:
        async def holds() -> bool:
            started = any(what == "start" for _, what, _ in self.outside.lives(began))
            return started and await self.serving()

        return holds

    # the kill and the return

    async def _killer(self, point: Point, begin: Path) -> asyncio.subprocess.Process:
        """Waits from before the order on, so that nothing is missed; `begin` changes when a drain begins."""
        watched = {"verdict": self.host.run / "verdict.json", "stop": self.outside.witness, "begin": begin}
        agent = self.host.agent
        assert agent is not None
        words = (str(agent.pid), str(point.after), str(watched[point.since]))
        killer = await asyncio.create_subprocess_exec(
            sys.executable, "-IS", str(KILLER), *words, stdout=asyncio.subprocess.PIPE
        )
        assert killer.stdout is not None
        assert await killer.stdout.readline() == b"looking\n"
        return killer

    async def _strike(self, killer: asyncio.subprocess.Process) -> float:
        """When the agent was killed; it is seen off."""
        said, _ = await killer.communicate()
        assert killer.returncode == 0, "the moment for the kill never came"
        await self.host.kill_agent()
        self.phases.clear()
        return float(said)

    async def _return(self) -> tuple[float, str, bool]:
        """The first answer of the agent that stays, that of the next one, and whether these are two."""
        back, phase = await self._start_again()
        again = self.chance.random() < AGAIN
        if again:
            await asyncio.sleep(self.chance.random())
            await self.host.kill_agent()
            back, _ = await self._start_again()
        return back, phase, again

    async def _start_again(self) -> tuple[float, str]:
        await asyncio.sleep(self.chance.uniform(*ABSENT))
        await self.host.start_agent()
        await until(self._answers, "the next agent answers")
        return self.phases[-1]

    async def _answers(self) -> bool:
        return await self._status() is not None

    async def _status(self) -> dict[str, Any] | None:
        status = await self.host.status()
        if status is not None:
            self.phases.append((time.time(), status["phase"]))
        return status

    async def serving(self) -> bool:
        """And knows that the other host serves, too: it may leave."""
        status = await self._status()
        if status is None or status["phase"] != "serving" or not status["membership"]["peers_effective"]:
            return False
        return await self.struck.world.routes_to(self.host)

    # what was seen

    def _saved(self) -> tuple[str, float | None]:
        """The phase on disk, and when it left, in boot-clock seconds."""
        saved = json.loads((self.state / "state.json").read_text())
        return saved["phase"], (saved["drain"] or {}).get("left_at")

    def _requests(self, since: float) -> tuple[tuple[tuple[float, str], ...], int]:
        ended = [outcome for outcome in self.struck.traffic.outcomes if wall(outcome.end) >= since]
        failed = tuple((wall(o.start), f"{o.cause} of {o.host or '?'}") for o in ended if o.cause)
        return failed, len(ended)

    async def _evidence(self, began: float, ended: float) -> Evidence:
        """The phases come from answers of the agents since the first kill."""
        seen, name = self.outside, self.host.name
        mine = [o for o in self.struck.traffic.outcomes if o.host == name and wall(o.end) >= began]
        return Evidence(
            began=began,
            writes=tuple(await seen.writes(began)),
            ready=tuple(between(seen.ready, began, ended)),
            lives=tuple(seen.lives(began)),
            engine=tuple(between(seen.engine, began, ended)),
            connector=tuple(between(seen.connector, began, ended)),
            routed=tuple(between(seen.routed, began, ended)),
            phases=changes(self.phases),
            answered=tuple((wall(o.start), wall(o.end)) for o in mine),
        )


def changes(phases: list[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """The first of each run of equal ones."""
    before = [None, *(phase for _, phase in phases)]
    return tuple((at, phase) for (at, phase), last in zip(phases, before[:-1], strict=True) if phase != last)


def wall(moment: float) -> float:
    """Of a monotonic second."""
    return moment + time.time() - time.monotonic()


async def until(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = SLOW) -> None:
    """Look again and again; AssertionError names what did not come."""
    end = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(LOOK)
