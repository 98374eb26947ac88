"""The interpreter: each action becomes its deed, and a write is followed by a new reading."""

import asyncio

import pytest
from tests.support.fakes import FakePool, FakeUnit
from tests.support.virtual import VirtualClock, run

from inferagent.model.action import Action, Push, Restart, Start, Stop
from inferagent.model.unit import Part
from inferagent.runtime.act import Hands
from inferagent.runtime.jobs import Jobs


class Scene:
    def __init__(self) -> None:
        clock = VirtualClock()
        self.engine, self.connector, self.pool = FakeUnit(clock), FakeUnit(clock), FakePool()
        self.jobs = Jobs(clock, lambda: None)
        self.pushed: list[float] = []
        units = {Part.ENGINE: self.engine, Part.CONNECTOR: self.connector}
        self.hands = Hands(units, self.pool, self.jobs, lambda: self.pushed.append(clock.now()))

    async def act(self, action: Action) -> None:
        self.hands.act([action])
        await asyncio.sleep(20)


@pytest.mark.parametrize(
    ("action", "deeds"),
    [
        (Start(Part.ENGINE), ["start"]),
        (Stop(Part.ENGINE), ["stop"]),
        (Restart(Part.ENGINE), ["restart", "start"]),
    ],
)
def test_unit_actions_reach_their_unit(action: Action, deeds: list[str]) -> None:
    async def story() -> None:
        scene = Scene()
        await scene.act(action)
        assert (scene.engine.deeds, scene.connector.deeds) == (deeds, [])

    run(story())


def test_the_connector_is_its_own_slot() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.act(Restart(Part.CONNECTOR))
        assert scene.engine.deeds == []
        assert [name for name, _ in scene.jobs.view()] == ["connector"]

    run(story())


def test_a_push_writes_and_then_asks_for_a_reading() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.act(Push(False))
        assert scene.pool.writes == [False]
        assert scene.pushed == [0.1]

    run(story())


def test_a_push_that_hangs_fails_in_time_and_is_read_again_all_the_same() -> None:
    async def story() -> None:
        scene = Scene()
        scene.pool.hung = True
        await scene.act(Push(False))
        assert scene.pushed == [8.0]
        assert dict(scene.jobs.view())["push"].error == "cannot finish within 8 s"

    run(story())
