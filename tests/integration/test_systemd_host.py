"""Units of systemd and their host: a bus that goes away, rights, verbs, speed. In a host: `make hosts`."""

import asyncio
import os
import pwd
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.systemd_bench import (
    CONFIG,
    FILE,
    NAME,
    NO_HOST,
    QUICK,
    SystemdBench,
    by_person,
    in_host,
    states,
    systemctl,
)
from tests.contract.units_bench import running, sleeper, until

from inferagent.adapters.units.verbs import Verbs
from inferagent.model.reading import Failed, Reading, Value
from inferagent.model.unit import Part, Unit, UnitState
from inferagent.ports import PortError

pytestmark = pytest.mark.skipif(not in_host(), reason=NO_HOST)

KILLS = 30


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SystemdBench]:
    made = SystemdBench(tmp_path)
    try:
        yield made
    finally:
        made.clean()


class Readings:
    def __init__(self) -> None:
        self.all: list[Reading[Unit]] = []

    def write(self, reading: Reading[Unit]) -> None:
        self.all.append(reading)

    def states(self) -> list[UnitState]:
        return [reading.value.state for reading in self.all if isinstance(reading, Value)]

    async def until_failed(self) -> Failed:
        await until(lambda: isinstance(self.all[-1], Failed), "a failed reading", 20.0)
        assert isinstance(self.all[-1], Failed)
        return self.all[-1]

    async def until_known(self) -> Unit:
        await until(lambda: bool(self.all) and isinstance(self.all[-1], Value), "a reading", 20.0)
        assert isinstance(self.all[-1], Value)
        return self.all[-1].value


def bus_pid() -> int:
    return int(systemctl("show", "--property=MainPID", "--value", "dbus.service").stdout)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_bus_that_goes_away_makes_readings_unknown_until_it_is_back(bench, how):
    unit, readings = bench.make(*sleeper()), Readings()
    task = asyncio.create_task(unit.watch(readings.write))
    try:
        await readings.until_known()
        await unit.start()
        life = await readings.until_known()
        assert life.alive
        bus = bus_pid()
        os.kill(bus, how)
        assert (
            "systemd" in (await readings.until_failed()).reason
            or "bus" in (await readings.until_failed()).reason
        )
        if how is signal.SIGSTOP:
            os.kill(bus, signal.SIGCONT)
        assert (await readings.until_known()).incarnation == life.incarnation
        assert set(readings.states()) <= {UnitState.STOPPED, UnitState.STARTING, UnitState.RUNNING}
        os.kill(life.main_pid, signal.SIGKILL)
        await until(
            lambda: readings.states()[-1] is UnitState.RESTARTING, "the death, over the new connection"
        )
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_another_systemd_in_place_of_this_one_is_heard_as_well(bench):
    unit = bench.make(*sleeper())
    async with bench.watched(unit) as seen:
        await unit.start()
        life = await seen.state(UnitState.RUNNING)
        for what in ("daemon-reexec", "daemon-reload"):
            done = await asyncio.create_subprocess_exec("systemctl", what)
            assert await done.wait() == 0
        assert seen.last.incarnation == life.incarnation
        os.kill(life.main_pid, signal.SIGKILL)
        await until(lambda: len(seen.last.own_restarts) == 1 and seen.last.alive, "the restart")
        assert states(seen) <= {
            UnitState.STOPPED,
            UnitState.STARTING,
            UnitState.RUNNING,
            UnitState.RESTARTING,
        }


async def test_an_alias_is_the_unit(bench):
    unit = bench.make(*sleeper())
    alias = FILE.with_name("engine-of-the-house.service")
    alias.symlink_to(FILE)
    systemctl("daemon-reload")
    try:
        by_person("start", NAME)
        bench.name = alias.name
        async with bench.watched(bench.port()) as seen:
            life = await seen.state(UnitState.RUNNING)
            os.kill(life.main_pid, signal.SIGKILL)
            await seen.state(UnitState.RESTARTING)
            await until(lambda: seen.last.alive, "the next life")
        await unit.stop()
    finally:
        alias.unlink()


@pytest.mark.parametrize(("user", "may"), [("inferagent", True), ("nobody", False)])
def test_only_the_agents_user_may_ask_and_everybody_may_read(bench, user, may):
    bench.make(*sleeper())
    by_person("start", NAME)
    done = subprocess.run(
        [sys.executable, "-c", ASK, NAME],
        user=user,
        group=pwd.getpwnam(user).pw_gid,
        capture_output=True,
        text=True,
    )
    assert "UnitState.RUNNING" in done.stdout, done.stderr
    assert ("UnitState.STOPPED" in done.stdout) is may, done.stdout
    assert ("is not for the user nobody → sudo systemctl restart inferagent" in done.stdout) is not may


ASK = """
import asyncio, sys
from pathlib import Path
from inferagent.adapters.clock import BootClock
from inferagent.adapters.units.systemd import SystemdUnit
from inferagent.model.unit import Part
from inferagent.ports import PortError

async def main():
    told, first = [], asyncio.Event()
    unit = SystemdUnit(Part.ENGINE, sys.argv[1], Path("/nowhere"), BootClock())
    task = asyncio.create_task(unit.watch(lambda reading: (print(reading), first.set())))
    await first.wait()
    try:
        await unit.stop()
    except PortError as error:
        print(error)
    task.cancel()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'mode = "observe"\n[[engine]]\nunit = "{NAME}"\n', "mode is not act"),
        ('mode = "act"\n[[engine]]\nunit = "shadow"\n', "no name.service stands in /etc/inferagent"),
        ('mode = "act"\n', "no name.service stands in /etc/inferagent"),
        ("mode = ", "cannot be read as TOML"),
    ],
)
async def test_the_verb_does_only_what_the_configuration_names(bench, text, said):
    CONFIG.write_text(text)
    with pytest.raises(PortError, match=said) as refused:
        await Verbs(Part.ENGINE, NAME).ask("start")
    assert refused.value.refused


async def test_a_configuration_that_others_may_write_names_nothing(bench):
    CONFIG.chmod(0o664)
    try:
        with pytest.raises(PortError, match="others than root may change it → sudo chown root") as refused:
            await Verbs(Part.ENGINE, NAME).ask("start")
    finally:
        CONFIG.chmod(0o644)
    assert refused.value.refused


async def test_a_death_is_read_within_milliseconds(bench, record_property):
    """The figure: from the kill to the reading, 30 times."""
    unit = bench.make(*sleeper(), service={**QUICK, "RestartSec": "10ms"})
    FILE.write_text(FILE.read_text().replace("StartLimitBurst=5", "StartLimitBurst=1000"))
    systemctl("daemon-reload")
    took = []
    async with bench.watched(unit) as seen:
        died = asyncio.Event()
        heard = seen.write

        def write(reading: Reading[Unit]) -> None:
            heard(reading)
            if isinstance(reading, Value) and not reading.value.alive:
                died.set()

        unit._write = write
        await unit.start()
        for _ in range(KILLS):
            life = await seen.state(UnitState.RUNNING)
            await until(lambda life=life: running(life.main_pid), "the process")
            died.clear()
            begun = time.perf_counter()
            os.kill(life.main_pid, signal.SIGKILL)
            await died.wait()
            took.append(1000 * (time.perf_counter() - begun))
            await until(
                lambda life=life: seen.last.alive and seen.last.incarnation != life.incarnation, "the next"
            )
        await unit.stop()
    p90 = statistics.quantiles(took, n=10)[8]
    figure = f"kill -9 → reading: median {statistics.median(took):.1f} ms, p90 {p90:.1f} ms of {KILLS}"
    record_property("figure", figure)
    assert statistics.median(took) < 50
