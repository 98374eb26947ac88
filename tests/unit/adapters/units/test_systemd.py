import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.contract.units_bench import until
from tests.support.fake_systemd import DIED, RUNS, WAITS, FakeSystemd, fake_systemd
from tests.support.fake_verbs import FakeVerbs

from inferagent.adapters.clock import BootClock
from inferagent.adapters.docker.note import Note, leave
from inferagent.adapters.units.systemd import SystemdUnit, Where
from inferagent.adapters.units.verbs import Verbs
from inferagent.model.reading import Failed, Reading, Value
from inferagent.model.unit import Part, Unit, UnitState
from inferagent.ports import PortError

STOPPING = {"ActiveState": "deactivating", "SubState": "stop-sigterm", "Job": [7, "/"]}
STOPPED = {
    "ActiveState": "inactive",
    "SubState": "dead",
    "MainPID": 0,
    "Job": [0, "/"],
    "ExecMainCode": 2,
    "ExecMainStatus": 15,
}
LATER = {**RUNS, "InvocationID": b"\x02" * 16, "MainPID": 4343, "NRestarts": 1, "Result": "success"}


class Bench:
    def __init__(self, folder, bus: FakeSystemd, verbs: FakeVerbs) -> None:
        self.folder, self.bus, self.verbs = folder, bus, verbs
        self.readings: list[Reading[Unit]] = []
        self.name = "x.service"

    def unit(self) -> SystemdUnit:
        verbs = Verbs(Part.ENGINE, "x.service", self.verbs.folder, 2.0)
        where = Where(self.bus.address, self.folder / "cgroup", self.folder)
        return SystemdUnit(Part.ENGINE, self.name, self.folder, BootClock(), verbs, where)

    @property
    def last(self) -> Unit:
        known = [reading.value for reading in self.readings if isinstance(reading, Value)]
        return known[-1]

    async def until(self, state: UnitState) -> Unit:
        await until(lambda: self.last.state is state, f"{state}, is {self.readings[-1:]}")
        return self.last

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[SystemdUnit]:
        self.readings.clear()
        unit = self.unit()
        task = asyncio.create_task(unit.watch(self.readings.append))
        try:
            await until(lambda: bool(self.readings) or task.done(), "a first reading")
            yield unit
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def bench(tmp_path):
    async with fake_systemd(tmp_path, **RUNS) as bus, FakeVerbs(tmp_path / "verbs") as verbs:
        yield Bench(tmp_path, bus, verbs)


async def test_a_reading_comes_at_once_and_with_each_change(bench):
    async with bench.watched():
        assert bench.last.state is UnitState.RUNNING
        assert bench.last.incarnation == "01" * 16 + ":4242"
        bench.bus.change(**DIED)
        await bench.until(UnitState.RESTARTING)
        assert not bench.last.alive
        bench.bus.change(**WAITS)
        bench.bus.change(**LATER)
        life = await bench.until(UnitState.RUNNING)
        assert len(life.own_restarts) == 1
        assert life.exit == "killed by signal 9"


async def test_the_same_again_is_not_written_again(bench):
    async with bench.watched() as unit:
        for _ in range(3):
            bench.bus.change()
            await unit._link.read()
        assert len(bench.readings) == 1


async def test_a_state_settles_without_another_signal(bench):
    async with bench.watched():
        bench.bus.change(**DIED)
        await bench.until(UnitState.RESTARTING)
        await bench.until(UnitState.FAILED)


async def test_a_state_in_doubt_is_no_first_reading(bench):
    bench.bus.put(**DIED)
    async with bench.watched():
        assert [reading.value.state for reading in bench.readings] == [UnitState.FAILED]


async def test_a_bus_that_goes_away_and_comes_back(bench):
    async with bench.watched():
        await bench.bus.close()
        await until(lambda: isinstance(bench.readings[-1], Failed), "unknown")
        assert "system" in bench.readings[-1].reason
        await bench.bus.open()
        await until(lambda: isinstance(bench.readings[-1], Value), "known again")
        assert bench.last.alive
        assert bench.bus.connections == 2
        bench.bus.change(**DIED)
        await bench.until(UnitState.RESTARTING)


async def test_what_changed_while_the_bus_was_away_is_judged(bench):
    async with bench.watched():
        await bench.bus.close()
        await until(lambda: isinstance(bench.readings[-1], Failed), "unknown")
        bench.bus.put(**LATER)
        await bench.bus.open()
        await until(lambda: isinstance(bench.readings[-1], Value), "known again")
        assert len(bench.last.own_restarts) == 1


async def test_a_deed_asks_its_verb_and_is_done_when_it_is_read(bench):
    known = []

    def stop() -> None:
        known.append(json.loads((bench.folder / "units/engine-unit.json").read_text())["stopped"])
        bench.bus.change(**STOPPING)
        bench.bus.put(**STOPPED)  # the signal of it comes late

    bench.verbs.deeds["engine-stop"] = stop
    async with bench.watched() as unit:
        await unit.stop()
        assert bench.last.state is UnitState.STOPPED
        assert not bench.last.stopped_by_person
        assert bench.verbs.asked == ["engine-stop"]
        assert known == ["us"], "known to the next agent even if this one had ended then"
    async with bench.watched():
        assert bench.last.state is UnitState.STOPPED
        assert not bench.last.stopped_by_person, "the next agent knows that it was us"


async def test_without_our_deed_it_was_a_person(bench):
    async with bench.watched():
        bench.bus.change(**STOPPING)
        bench.bus.change(**STOPPED)
        assert (await bench.until(UnitState.STOPPED)).stopped_by_person


async def test_a_stop_that_was_refused_was_none(bench):
    bench.verbs.answers["engine-stop"] = {
        "ok": False,
        "message": "cannot stop x.service: no",
        "refused": True,
    }
    async with bench.watched() as unit:
        with pytest.raises(PortError, match=r"cannot stop x\.service: no") as refused:
            await unit.stop()
        assert refused.value.refused
        bench.bus.change(**STOPPING)
        bench.bus.change(**STOPPED)
        assert (await bench.until(UnitState.STOPPED)).stopped_by_person


async def test_deeds_wait_for_each_other(bench):
    async with bench.watched() as unit:
        await asyncio.gather(unit.start(), unit.restart(), unit.start())
        assert sorted(bench.verbs.asked) == ["engine-restart", "engine-start", "engine-start"]
        assert bench.verbs.at_once == 1


async def test_a_deed_is_done_without_a_bus_too(bench):
    await bench.bus.close()
    unit = bench.unit()
    await unit.start()
    assert bench.verbs.asked == ["engine-start"]


async def test_a_record_that_cannot_be_written_stops_nothing(bench):
    (bench.folder / "units").write_text("in the way")
    async with bench.watched():
        bench.bus.change(**DIED)
        await bench.until(UnitState.RESTARTING)


async def test_the_record_is_of_this_boot_and_unit(bench):
    async with bench.watched():
        pass
    path = bench.folder / "units/engine-unit.json"
    record = json.loads(path.read_text())
    assert (record["unit"], record["main"]) == ("x.service", 4242)
    path.write_text(json.dumps({**record, "own_restarts": [1.0, 2.0]}))
    async with bench.watched():
        assert bench.last.own_restarts == (1.0, 2.0)
    path.write_text(json.dumps({**record, "own_restarts": [1.0, 2.0], "boot": "another"}))
    async with bench.watched():
        assert bench.last.own_restarts == ()


@pytest.fixture
async def pair():
    """Processes of ours, each younger than the one before."""
    made = []
    for _ in range(3):
        made.append(await asyncio.create_subprocess_exec("sleep", "60"))
        await asyncio.sleep(0.03)
    yield tuple(process.pid for process in made)
    for process in made:
        process.kill()
        await process.wait()


async def test_processes_of_an_earlier_life_are_counted_and_those_of_the_next_are_not(bench, pair):
    older, main, worker = pair
    procs = group_of(bench, older)
    bench.bus.put(ControlGroup="/x.service")
    async with bench.watched():
        assert bench.last.leftovers == 0, "beside a main process they are its own"
        bench.bus.change(**DIED)
        await until(lambda: bench.last.leftovers == 1, "what is left over")
        procs.write_text(f"{older}\n{main}\n{worker}\n")
        await until(lambda: bench.last.leftovers == 3, "a look too late")
        bench.bus.change(**{**LATER, "MainPID": main})
        await until(lambda: bench.last.alive, "the next life")
        assert bench.last.leftovers == 1
        procs.write_text(f"{main}\n{worker}\n")
        await until(lambda: bench.last.leftovers == 0, "the end of what was left over")


async def test_a_main_process_that_cannot_be_looked_at_is_not_left_over(bench):
    group_of(bench, 4_999_999)
    bench.bus.put(ControlGroup="/x.service")
    async with bench.watched():
        bench.bus.change(**DIED)
        await until(lambda: bench.last.leftovers == 1, "a look too late")
        bench.bus.change(**{**LATER, "MainPID": 4_999_999})
        await until(lambda: bench.last.alive, "the next life")
        assert bench.last.leftovers == 0


async def test_the_control_group_of_a_new_life_is_asked_for(bench, pair):
    bench.bus.put(**STOPPED, InvocationID=b"")
    async with bench.watched():
        group_of(bench, pair[0])
        bench.bus.put(ControlGroup="/x.service")
        bench.bus.change(**RUNS)
        reads = bench.bus.calls.count("LoadUnit")
        await until(lambda: bench.bus.calls.count("LoadUnit") > reads, "another reading")
        await bench.until(UnitState.RUNNING)
        bench.bus.change(**DIED)
        await until(lambda: bench.last.leftovers == 1, "what is left over")


def group_of(bench: Bench, pid: int) -> Path:
    folder = bench.folder / "cgroup/x.service"
    folder.mkdir(parents=True)
    (folder / "cgroup.procs").write_text(f"{pid}\n")
    return folder / "cgroup.procs"


async def test_the_engine_in_a_container_is_known_by_its_own_process(bench):
    bench.name = "inferagent-container@vllm.service"
    leave("vllm", Note(4242, 77), bench.folder)
    async with bench.watched():
        assert (bench.last.main_pid, bench.last.incarnation) == (77, "01" * 16 + ":4242")
        leave("vllm", Note(ended="out of memory"), bench.folder)
        bench.bus.change(**DIED)
        assert (await bench.until(UnitState.RESTARTING)).exit == "out of memory"
