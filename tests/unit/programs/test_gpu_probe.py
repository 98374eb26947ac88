import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract.units_bench import until
from tests.fixtures.nvml.build import Driver, build
from tests.support.kernel_says import KernelSays

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.leave import hold_lock
from inferagent.adapters.gpu.report import GpuReportFile
from inferagent.model.gpu import GpuReport
from inferagent.model.kernel import KernelLook
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
    def __init__(self, run, environment, log="/dev/null"):
        self.port = GpuReportFile(run, BootClock(), patience=0.3)
        argv = [sys.executable, "-m", "inferagent.programs.gpu_probe", "--run", str(run), "--every", "0.05"]
        argv += ["--kernel-log", str(log)]
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

    async def hears(self, condition):
        """The first word of the kernel that the condition holds for."""
        async with asyncio.timeout(10):
            while True:
                look = known(self.port.kernel()) or KernelLook()
                if condition(look):
                    return look
                await asyncio.sleep(0.02)

    def kilobytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def end(self):
        self.process.terminate()
        return self.process.communicate(timeout=10)[0]


@pytest.fixture
def kernel(tmp_path):
    made = KernelSays(tmp_path / "kmsg")
    yield made
    made.close()


@pytest.fixture
def start(tmp_path):
    started = []

    def make(environment, log="/dev/null"):
        started.append(Probe(tmp_path, environment, log))
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
    driver.say(init="999")
    probe = start(driver.environment(library))
    await until(lambda: probe.process.poll() is not None, "the probe's end")
    assert not isinstance(await probe.port.look(), Value | NotAvailable)


FELL = "NVRM: Xid (PCI:0000:02:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."


async def test_a_gpu_that_falls_off_the_bus_is_named_while_the_driver_hangs_over_it(
    start, driver, library, kernel
):
    driver.say(count="2")
    probe = start(driver.environment(library), kernel.path)
    await probe.sees(lambda report: len(report.gpus) == 2)
    driver.say(count="2", _0_nvmlDeviceGetTemperature="hang")
    await probe.sees(lambda report: bool(report.stuck))
    kernel("NVRM: GPU at PCI:0000:02:00: GPU-1", FELL, "NVRM: GPU 0000:02:00.0: GPU has fallen off the bus.")
    look = await probe.hears(lambda look: bool(look.faults))
    (fault,) = look.faults
    assert (fault.index, fault.uuid, fault.code, fault.evidence) == (1, "GPU-1", "lost", "XID 79")
    assert abs(fault.at - BootClock().now()) < 5.0
    assert look.unread == ""


async def test_a_sticky_fault_is_told_again_at_once_while_the_driver_hangs(start, driver, library, kernel):
    """Somebody may have cleared it in between."""
    driver.say(count="2", _0_nvmlDeviceGetTemperature="hang")
    probe = start(driver.environment(library), kernel.path)
    await probe.sees(lambda report: bool(report.stuck))
    kernel(FELL)
    (first,) = (await probe.hears(lambda look: bool(look.faults))).faults
    kernel(FELL)
    look = await probe.hears(lambda look: look.faults[0].sequence > first.sequence)
    assert look.faults[0].last_at > first.last_at


async def test_a_probe_that_is_started_again_tells_the_same_once_more_and_nothing_twice(
    start, driver, library, tmp_path
):
    ring = tmp_path / "ring"  # a file is read from its begin each time, as the kernel's own ring is
    ring.write_text(f"4,7,1000000,-;{FELL}\n4,8,1000000,-;NVRM: Xid (PCI:0000:02:00): 31, pid=1\n")
    driver.say(count="2")
    first = start(driver.environment(library), ring)
    await first.sees(lambda report: len(report.gpus) == 2)
    before = (await first.hears(lambda look: look.faults and look.faults[0].index == 1)).faults
    first.end()
    driver.say(count="1")
    second = start(driver.environment(library), ring)
    await second.sees(lambda report: len(report.gpus) == 1)
    again = known(second.port.kernel())
    assert again.faults == before
    assert again.sequence == 8


async def test_what_a_flood_has_driven_out_of_the_log_is_still_known_after_a_restart(
    start, driver, library, tmp_path
):
    ring = tmp_path / "ring"
    ring.write_text(f"4,7,1000000,-;{FELL}\n")
    first = start(driver.environment(library), ring)
    before = (await first.hears(lambda look: bool(look.faults))).faults
    first.end()
    ring.write_text("4,9000,1000000,-;a flood of other lines\n")
    second = start(driver.environment(library), ring)
    look = await second.hears(lambda look: look.sequence == 9000)
    assert look.faults == before


async def test_a_flood_hurts_neither_the_probe_nor_what_it_reports(start, driver, library, kernel):
    probe = start(driver.environment(library), kernel.path)
    await probe.sees(lambda report: bool(report.gpus))
    noise = "NVRM: Xid (PCI:0000:02:00): 31, pid=7, name=python3, MMU Fault \xff\x00"
    await asyncio.to_thread(kernel, *[noise] * 20_000, FELL)
    look = await probe.hears(lambda look: bool(look.faults))
    assert [fault.evidence for fault in look.faults] == ["XID 79"]
    await probe.sees(lambda report: report.gpus and BootClock().now() - report.gpus[0].utilisation.at < 1.0)
    assert probe.kilobytes() < 100_000


async def test_a_log_that_may_not_be_read_is_said_once_and_the_driver_is_asked_all_the_same(
    start, driver, library, tmp_path
):
    probe = start(driver.environment(library), tmp_path / "none")
    await probe.sees(lambda report: bool(report.gpus))
    look = await probe.hears(lambda look: True)
    assert look.unread == f"cannot read {tmp_path / 'none'}: No such file or directory"
    assert probe.end().decode() == f"{look.unread}: faults are known from the driver alone\n"


async def test_a_driver_that_does_not_fit_its_library_is_a_word_and_no_fault(start, driver, library):
    driver.say(init="18")
    probe = start(driver.environment(library))
    look = await probe.hears(lambda look: bool(look.mismatch))
    assert "different versions" in look.mismatch
    assert look.faults == ()
    assert not isinstance(await probe.port.look(), Value | NotAvailable)
    with pytest.raises(subprocess.TimeoutExpired):  # it asks no second time: each leaves a line in the log
        await asyncio.to_thread(probe.process.wait, 1.0)


async def test_a_driver_that_wants_a_reset_is_let_go_between_two_looks(start, driver, library, tmp_path):
    driver.say(count="1", _0_nvmlDeviceGetTemperature="16")
    probe = start(driver.environment(library))
    await probe.sees(lambda report: report.gpus and report.gpus[0].fault == "reset-required")
    driver.say(count="1", init="999")  # to be met by who opens it anew only
    await until(lambda: "cannot open NVML" in (tmp_path / "gpu.json").read_text(), "a new opening")
    assert not isinstance(await probe.port.look(), Value | NotAvailable)
