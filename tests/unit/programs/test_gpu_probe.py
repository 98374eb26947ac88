import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract.units_bench import until
from tests.fixtures.nvml.build import Driver, build

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.leave import hold_lock
from inferagent.adapters.gpu.report import GpuReportFile
from inferagent.model.gpu import GpuReport
from inferagent.model.reading import NotAvailable, Value, known

without_driver = pytest.mark.skipif(
    Path("/proc/driver/nvidia").exists(),
    reason="this host has an NVIDIA driver: its absence is NOT tested here",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def driver(tmp_path):
    return Driver(tmp_path / "state")


class Probe:
    def __init__(self, run, environment):
        self.port = GpuReportFile(run, BootClock(), patience=0.3)
        argv = [sys.executable, "-m", "inferagent.programs.gpu_probe", "--run", str(run), "--every", "0.05"]
        self.process = subprocess.Popen(
            argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    async def sees(self, condition):
        """The first report that the condition holds for."""
        async with asyncio.timeout(10):
            while True:
                report = known(await self.port.look()) or GpuReport(())
                if condition(report):
                    return report
                await asyncio.sleep(0.02)


@pytest.fixture
def start(tmp_path):
    started = []

    def make(environment):
        started.append(Probe(tmp_path, environment))
        return started[-1]

    yield make
    for probe in started:
        probe.process.kill()
        probe.process.communicate()


async def test_it_reports_again_and_again_and_ends_when_asked(start, driver, library):
    probe = start(driver.environment(library))
    await probe.sees(lambda report: report.gpus and report.gpus[0].utilisation.value == 0)
    driver.say(count="1", _0_utilisation="55")
    await probe.sees(lambda report: report.gpus and report.gpus[0].utilisation.value == 55)
    probe.process.send_signal(signal.SIGTERM)
    out, _ = await asyncio.to_thread(probe.process.communicate, timeout=5)
    assert (probe.process.returncode, out) == (0, b"")


async def test_a_call_that_hangs_is_named_while_the_probe_hangs(start, driver, library):
    probe = start(driver.environment(library))
    await probe.sees(lambda report: bool(report.gpus))
    driver.say(count="1", _0_nvmlDeviceGetTemperature="hang")
    report = await probe.sees(lambda report: bool(report.stuck))
    assert report.stuck == "GPU 0 does not answer its driver (nvmlDeviceGetTemperature)"
    assert report.gpus[0].name == "Stand-in 0"
    assert probe.process.poll() is None


async def test_a_driver_that_hangs_at_its_very_opening_is_named(start, driver, library):
    driver.say(init="hang")
    report = await start(driver.environment(library)).sees(lambda report: bool(report.stuck))
    assert report.stuck == "the NVIDIA driver does not answer (nvmlInit)"


async def test_an_older_driver_without_a_symbol_still_reports(start, driver, tmp_path):
    (tmp_path / "old").mkdir()
    driver.say(count="1", _0_pid="4242")
    probe = start(driver.environment(build(tmp_path / "old", "OLD_DRIVER")))
    report = await probe.sees(lambda report: bool(report.gpus))
    assert [process.pid for process in report.gpus[0].processes.value] == [4242]


@without_driver
async def test_a_host_without_gpu_and_library_is_absent_and_the_probe_ends(start, tmp_path):
    probe = start(dict(os.environ))
    await until(lambda: probe.process.poll() is not None, "the probe's end")
    assert probe.process.returncode == 0
    assert isinstance(await probe.port.look(), NotAvailable)


async def test_a_second_probe_ends_at_once(start, driver, library, tmp_path):
    lock = hold_lock(tmp_path)
    probe = start(driver.environment(library))
    await until(lambda: probe.process.poll() is not None, "the second probe's end")
    assert probe.process.returncode == 0
    assert not (tmp_path / "gpu.json").exists()
    os.close(lock)


async def test_a_driver_that_stays_away_ends_the_probe_for_a_fresh_one(start, driver, library):
    driver.say(init="18")
    probe = start(driver.environment(library))
    await until(lambda: probe.process.poll() is not None, "the probe's end")
    assert not isinstance(await probe.port.look(), Value | NotAvailable)
