import asyncio
import threading
from pathlib import Path

import pytest

from inferagent.adapters.clock import BootClock
from inferagent.adapters.host import HostReadings, suspended
from inferagent.ports import PortError


async def test_a_look_brings_plausible_numbers(tmp_path):
    look = await HostReadings(BootClock(), tmp_path).look()
    assert 0 < look.memory_available <= look.memory_total
    assert look.disk_free > 0
    assert look.load1 >= 0
    assert look.resumed_at is None


async def test_a_folder_that_is_not_there_yet_is_measured_where_it_will_be(tmp_path):
    here = await HostReadings(BootClock(), tmp_path).look()
    there = await HostReadings(BootClock(), tmp_path / "not" / "yet").look()
    assert abs(here.disk_free - there.disk_free) < 1 << 30


async def test_a_jump_between_two_looks_is_a_resume_and_is_remembered(tmp_path):
    asleep = [100.0]
    readings = HostReadings(BootClock(), tmp_path, lambda: asleep[0])
    asleep[0] += 1.9
    assert (await readings.look()).resumed_at is None
    asleep[0] += 2.0
    first = (await readings.look()).resumed_at
    assert first is not None
    assert (await readings.look()).resumed_at == first
    asleep[0] += 60.0
    assert (await readings.look()).resumed_at > first


async def test_what_cannot_be_read_is_a_port_error(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)  # nobody can tell what this is
    readings = HostReadings(BootClock(), loop)
    with pytest.raises(PortError, match="cannot read the host"):
        await readings.look()


def test_a_host_that_never_slept_has_no_suspend():
    assert suspended() >= -0.01


async def test_a_disk_that_hangs_delays_nobody():
    answer, folder = threading.Event(), Path("/")

    class Hanging(type(folder)):
        def stat(self, **how):
            answer.wait(10)
            return super().stat(**how)

    looking = asyncio.ensure_future(HostReadings(BootClock(), Hanging("/")).look())
    for _ in range(5):
        await asyncio.sleep(0.001)
    assert not looking.done()
    answer.set()
    assert (await looking).disk_free > 0
