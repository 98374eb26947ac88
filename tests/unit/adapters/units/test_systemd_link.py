import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.contract.units_bench import until
from tests.support.fake_systemd import DIED, RUNS, FakeSystemd, fake_systemd

from inferagent.adapters.units.systemd_link import Link
from inferagent.adapters.units.systemd_properties import Properties
from inferagent.ports import PortError


@pytest.fixture
async def bus(tmp_path):
    async with fake_systemd(tmp_path) as fake:
        yield fake


class Linked:
    def __init__(self, fake: FakeSystemd, heartbeat: float = 60.0, answers: float = 0.3) -> None:
        self.told: list[Properties] = []
        self.link = Link("x.service", self.told.append, fake.address, heartbeat, answers)
        self.ended: list[PortError] = []

    async def follow(self) -> None:
        try:
            await self.link.follow()
        except PortError as error:
            self.ended.append(error)


@asynccontextmanager
async def linked(fake: FakeSystemd, **how: float) -> AsyncIterator[Linked]:
    made = Linked(fake, **how)
    task = asyncio.create_task(made.follow())
    try:
        await until(lambda: bool(made.told) or task.done(), "a first reading")
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_everything_is_read_at_first(bus):
    bus.put(**RUNS, ControlGroup="/system.slice/x.service", NRestarts=3)
    async with linked(bus) as seen:
        first = seen.told[0]
        assert (first.active, first.main, first.restarts) == ("active", 4242, 3)
        assert first.group == "/system.slice/x.service"
        assert (first.burst, first.window) == (5, 10.0)


async def test_it_listens_before_it_reads(bus):
    async with linked(bus):
        first_read = bus.calls.index("Get")
        assert bus.calls[:first_read] == ["Hello", "LoadUnit", *["AddMatch"] * 4, "Subscribe"]


async def test_a_change_is_told_once_both_signals_are_there(bus):
    bus.put(**RUNS)
    async with linked(bus) as seen:
        bus.change(**DIED)
        await until(lambda: len(seen.told) > 1, "the change")
        assert len(seen.told) == 2
        assert (seen.told[1].main, seen.told[1].active, seen.told[1].status) == (0, "failed", 9)


async def test_what_a_signal_said_during_a_reading_is_newer_than_the_reading(bus):
    bus.put(**RUNS)
    async with linked(bus) as seen:

        def overtaken() -> None:
            """The signal comes before the answers, which were made before it."""
            bus.change(**DIED)
            bus.put(**RUNS)

        bus.at_get = overtaken
        await seen.link.read()
        assert [each.main for each in seen.told] == [4242, 0, 0]


async def test_a_reload_and_another_systemd_are_read_anew(bus):
    async with linked(bus) as seen:
        for happens, calls in ((bus.reloaded, ["LoadUnit"]), (bus.new_owner, ["LoadUnit", "Subscribe"])):
            bus.calls.clear()
            bus.put(ActiveState="active" if happens is bus.reloaded else "failed")
            known = len(seen.told)
            happens()
            await until(lambda known=known: len(seen.told) > known, "another reading")
            assert set(calls) <= set(bus.calls)
        assert seen.told[-1].active == "failed"


async def test_an_alias_is_watched_at_its_targets_place(bus):
    bus.object = "/org/freedesktop/systemd1/unit/real_2eservice"
    bus.put(**RUNS)
    async with linked(bus) as seen:
        bus.change(**DIED)
        await until(lambda: seen.told[-1].main == 0, "the death")
        assert len(seen.told) == 2


async def test_a_heartbeat_finds_what_no_signal_told(bus):
    async with linked(bus, heartbeat=0.05) as seen:
        bus.put(ActiveState="failed")
        await until(lambda: seen.told[-1].active == "failed", "the next whole reading")
        assert not seen.ended


async def test_a_bus_that_goes_away_ends_it_at_once(bus):
    async with linked(bus) as seen:
        await bus.close()
        await until(lambda: bool(seen.ended), "the end")
        assert str(seen.ended[0]).startswith("cannot ask systemd: ")


async def test_a_bus_that_hangs_ends_it_by_the_deadline(bus):
    async with linked(bus, heartbeat=0.05, answers=0.1) as seen:
        bus.silent = True
        await until(lambda: bool(seen.ended), "the end")
        assert str(seen.ended[0]) == "cannot ask systemd: no answer within 0.1 s"


async def test_a_bus_that_hangs_at_first_tells_nothing(bus):
    bus.silent = True
    async with linked(bus, answers=0.1) as seen:
        assert seen.told == []
        assert len(seen.ended) == 1


async def test_no_bus_at_all_is_said(bus):
    await bus.close()
    async with linked(bus) as seen:
        assert str(seen.ended[0]).startswith("cannot reach the system bus: ")


async def test_without_a_connection_a_reading_is_refused(bus):
    with pytest.raises(PortError, match=r"cannot read x\.service: there is no connection"):
        await Link("x.service", lambda _: None, bus.address).read()
