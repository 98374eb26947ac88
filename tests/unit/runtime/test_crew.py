import asyncio

from tests.support.virtual import VirtualClock, run

from inferagent.runtime.crew import Crew
from inferagent.runtime.probes import Probe


def test_probes_come_and_go_while_it_runs():
    looked: list[str] = []

    def probe(name: str) -> Probe[None]:
        async def take() -> None:
            looked.append(name)

        return Probe(name, VirtualClock(), take, lambda _: None, 1.0, 10.0)

    async def story() -> None:
        crew = Crew()
        crew.use([probe("a")])
        running = asyncio.ensure_future(crew.run())
        await asyncio.sleep(15.0)
        crew.use([probe("b"), probe("c")])
        await asyncio.sleep(5.0)
        crew.use([])
        await asyncio.sleep(100.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run(story())
    assert looked == ["a", "a", "b", "c"]


def test_a_look_that_is_under_way_has_ended_before_its_successor_begins():
    """Two runs of the same check never overlap, whatever the configuration does."""
    open_now = most = 0

    async def take() -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            await asyncio.sleep(30.0)
        finally:
            await asyncio.sleep(1.0)  # until it is killed
            open_now -= 1

    async def story() -> None:
        crew = Crew()
        running = asyncio.ensure_future(crew.run())
        for _ in range(5):
            crew.use([Probe("x", VirtualClock(), take, lambda _: None, 60.0, 10.0)])
            await asyncio.sleep(7.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run(story())
    assert (open_now, most) == (0, 1)
