"""Probes: a hang is an unknown, pace is obeyed, a bug is a failed reading."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.support.virtual import VirtualClock, run

from inferagent.model.reading import Failed, Reading, Value
from inferagent.ports import PortError
from inferagent.runtime.probes import Probe


class Bench:
    """One probe under way, and what it wrote."""

    def __init__(self, take: Callable[[], Awaitable[int]], pace: float | None = 2.0) -> None:
        self.readings: list[Reading[int]] = []
        self.probe = Probe("the thing", VirtualClock(), take, self.readings.append, 1.0, pace)

    async def during(self, seconds: float, *then: Callable[[], None]) -> list[Reading[int]]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.probe.run())
            await asyncio.sleep(seconds)
            for deed in then:
                deed()
                await asyncio.sleep(seconds)
            task.cancel()
        return self.readings


async def seven() -> int:
    await asyncio.sleep(0.25)
    return 7


def test_looks_at_its_pace_and_dates_by_the_begin() -> None:
    async def story() -> list[Reading[int]]:
        return await Bench(seven).during(5)

    assert run(story()) == [Value(7, 0.0), Value(7, 2.0), Value(7, 4.0)]


def test_a_look_that_hangs_fails_at_its_deadline_and_is_tried_again() -> None:
    async def hang() -> int:
        await asyncio.Event().wait()
        return 0

    async def story() -> list[Reading[int]]:
        return await Bench(hang).during(3.5)

    assert run(story()) == [
        Failed("cannot read the thing within 1 s", 0.0),
        Failed("cannot read the thing within 1 s", 2.0),
    ]


def test_an_error_and_a_bug_are_failed_readings() -> None:
    answers = iter([PortError("cannot read it"), KeyError("bug")])

    async def fail() -> int:
        raise next(answers)

    async def story() -> list[Reading[int]]:
        return await Bench(fail).during(3)

    first, second = run(story())
    assert first == Failed("cannot read it", 0.0)
    assert isinstance(second, Failed)
    assert "internal error" in second.reason


def test_without_a_pace_it_looks_only_once_it_gets_one() -> None:
    async def story() -> list[Reading[int]]:
        bench = Bench(seven, None)
        return await bench.during(5, lambda: bench.probe.set_pace(30.0))

    assert run(story()) == [Value(7, 5.0)]


def test_a_quicker_pace_takes_effect_at_once() -> None:
    async def story() -> list[Reading[int]]:
        bench = Bench(seven, 30.0)
        return await bench.during(5, lambda: bench.probe.set_pace(3.0))

    assert [reading.at for reading in run(story())] == [0.0, 5.0, 8.0]


def test_a_nudge_looks_now() -> None:
    async def story() -> list[Reading[int]]:
        bench = Bench(seven, 30.0)
        return await bench.during(5, bench.probe.nudge)

    assert [reading.at for reading in run(story())] == [0.0, 5.0]
