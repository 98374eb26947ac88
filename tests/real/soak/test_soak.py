"""Chapter after chapter: until the time is over, or something does not come back."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from tests.real.soak.fault import Chapter, Fault
from tests.real.soak.measure import Meter
from tests.real.soak.scene import Scene
from tests.real.soak.soak import BEGINNING, CALM, STEADY, Told, play
from tests.support import virtual

from inferagent.lab.traffic import Traffic

HOUR = 3600.0


class Stage(Scene):
    """A scene on which nothing runs: each host is well at once, or never."""

    def __init__(self) -> None:
        self.chapters, self.routed, self.vigil = [Chapter(BEGINNING, 0.0)], [], None
        self.well = True

    def blow(self) -> None:
        self.chapter.struck = asyncio.get_running_loop().time()
        self.routed.append((self.chapter.struck + 1.0, False))

    async def back(self, seconds: float = 1.0) -> None:
        if not self.well:
            raise TimeoutError("soaked serves: not within 1 s")

    async def gone(self) -> None:
        assert self.let_go(self.chapter.struck or 0.0) is not None


def strikes(seconds: float, seen: list[str], name: str) -> Callable[[Any], Any]:
    async def strike(scene: Scene) -> None:
        seen.append(name)
        scene.blow()
        await asyncio.sleep(seconds)

    return strike


def told_of(stage: Stage) -> Told:
    traffic = Traffic("http://nowhere", "chat", [], 1.0)
    return Told(stage, Meter(None), traffic)  # type: ignore[arg-type]


def again(*faults: Fault) -> Iterator[Fault]:
    while True:
        yield from faults


def test_faults_follow_until_the_time_is_over() -> None:
    seen: list[str] = []
    stage = Stage()
    fault = Fault("slow", strikes(100.0 - CALM - STEADY, seen, "slow"), "must", frozenset({"x"}))
    told = told_of(stage)
    virtual.run(play(told, again(fault), 1000.0))
    assert len(seen) == 10
    assert not told.problems
    assert [chapter.ended is not None for chapter in stage.chapters[1:]] == [True] * 10
    first = stage.chapters[1]
    assert first.struck is not None
    assert first.out == first.struck + 1.0


def test_in_the_second_half_the_agent_is_let_be() -> None:
    seen: list[str] = []
    ends = Fault("killed", strikes(50.0, seen, "killed"), "never", ends_agent=True)
    other = Fault("API 500", strikes(50.0, seen, "API 500"), "never")
    stage = Stage()
    virtual.run(play(told_of(stage), again(ends, other), HOUR))
    begun = {name: [one.begun for one in stage.chapters if one.fault.name == name] for name in seen}
    assert HOUR / 3 < max(begun["killed"]) <= HOUR / 2 + CALM
    assert max(begun["API 500"]) > HOUR - 100


def test_a_host_that_does_not_come_back_ends_the_soak() -> None:
    seen: list[str] = []
    stage = Stage()
    stage.well = False
    told = told_of(stage)
    fault = Fault("engine killed", strikes(1.0, seen, "killed"), "must", frozenset({"x"}))
    virtual.run(play(told, again(fault), HOUR))
    assert seen == ["killed"]
    assert told.problems == ["engine killed: soaked serves: not within 1 s"]
    assert stage.chapter.ended is None
