import json
import os

import pytest

from inferagent.adapters.gpu.leave import FILE, ReportWriter
from inferagent.adapters.gpu.report import GpuReportFile
from inferagent.model.gpu import Gpu, GpuProcess, GpuReport
from inferagent.model.kernel import KernelFault, KernelLook
from inferagent.model.reading import Failed, NotAvailable, Value


class Clock:
    def __init__(self):
        self.time = 100.0
        self.id = "boot-1"

    def now(self):
        return self.time

    def boot(self):
        return self.id

    def wall(self):
        return "2026-01-01T00:00:00+00:00"

    async def sleep(self, seconds):
        self.time += seconds


GPU = Gpu(
    0,
    "GPU-0",
    "L4",
    "0000:01:00.0",
    Value(3, 100.0),
    Value(18, 100.0),
    Value(24, 100.0),
    NotAvailable(100.0),
    Value((GpuProcess(1, 2),), 100.0),
    "reset-required",
)
REPORT = Value(GpuReport((GPU,), Value(1, 100.0), "580"), 100.0)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def writer(tmp_path, clock):
    return ReportWriter(tmp_path, clock, 5.0)


@pytest.fixture
def port(tmp_path, clock):
    return GpuReportFile(tmp_path, clock)


async def test_what_was_left_is_what_is_read(writer, port):
    writer.report(REPORT)
    assert await port.look() == REPORT


async def test_failed_and_absent_come_through_as_such(writer, port):
    writer.report(Failed("cannot open NVML", 100.0))
    assert await port.look() == Failed("cannot open NVML", 100.0)
    writer.report(NotAvailable(100.0))
    assert await port.look() == NotAvailable(100.0)


async def test_no_report_yet_is_unknown(port, writer):
    assert isinstance(await port.look(), Failed)
    writer.announce("the NVIDIA driver: nvmlInit")
    assert isinstance(await port.look(), Failed)


async def test_another_boots_report_is_unknown(writer, port, clock):
    writer.report(REPORT)
    clock.id = "boot-2"
    assert "another boot" in (await port.look()).reason


async def test_an_old_report_is_unknown(writer, port, clock):
    writer.report(REPORT)
    clock.time += 14.0
    assert isinstance(await port.look(), Value)
    clock.time += 2.0
    assert (await port.look()).reason == "cannot read the GPUs: the last report is 16 s old"


async def test_a_call_that_hangs_is_named_and_leaves_no_number_fresh(writer, port, clock):
    writer.report(REPORT)
    writer.announce("GPU 0: nvmlDeviceGetTemperature")
    writer.tell()
    clock.time += 9.0
    assert await port.look() == REPORT
    clock.time += 2.0
    reading = await port.look()
    assert reading.at == clock.time
    assert reading.value.stuck == "GPU 0 does not answer its driver (nvmlDeviceGetTemperature)"
    assert isinstance(reading.value.gpus[0].utilisation, Failed)
    assert isinstance(reading.value.pci_count, Failed)
    assert reading.value.gpus[0].fault == "reset-required"


async def test_a_hang_before_the_first_report_is_named_too(writer, port, clock):
    writer.announce("the NVIDIA driver: nvmlInit")
    clock.time += 11.0
    reading = await port.look()
    assert reading.value.stuck == "the NVIDIA driver does not answer (nvmlInit)"
    assert reading.value.gpus == ()


async def test_a_probe_that_is_gone_hangs_in_nothing(writer, port, clock, tmp_path):
    writer.report(REPORT)
    writer.announce("GPU 0: nvmlDeviceGetTemperature")
    writer.tell()
    said = json.loads((tmp_path / FILE).read_bytes()) | {"start": 1}
    (tmp_path / FILE).write_text(json.dumps(said))
    clock.time += 20.0
    assert (await port.look()).reason == "cannot read the GPUs: the probe program does not run"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\x00", b'{"boot": 1}', b"null", b"[" * 5000, b'{"report": {"at": "x"}}'],
)
async def test_bad_bytes_are_unknown(port, tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    assert "cannot understand" in (await port.look()).reason


async def test_a_file_that_cannot_be_read_is_unknown(port, tmp_path):
    (tmp_path / FILE).mkdir()
    assert isinstance(await port.look(), Failed)


FELL = KernelFault(
    "0000:01:00",
    "lost",
    "fell off the bus",
    "reboot",
    "XID 79",
    90.0,
    "12:00:01",
    95.0,
    "12:00:06",
    7,
    0,
    "GPU-0",
)


def test_what_the_kernel_said_comes_through_even_where_the_driver_says_nothing(writer, port):
    look = KernelLook((FELL,), "", 9, "they differ")
    writer.report(Failed("cannot open NVML", 100.0))
    writer.kernel(look, at_once=True)
    assert port.kernel() == Value(look, 100.0)


def test_what_the_kernel_said_outlives_the_probe_and_the_comparison_does_not(writer, port, clock):
    writer.kernel(KernelLook((FELL,), "", 9, "they differ"), at_once=True)
    clock.time += 1000.0
    assert port.kernel().value == KernelLook((FELL,), "", 9)
    clock.id = "boot-2"
    assert isinstance(port.kernel(), Failed)


def test_a_report_of_an_older_probe_knows_nothing_of_the_kernel(writer, port, tmp_path):
    writer.report(REPORT)
    said = json.loads((tmp_path / FILE).read_bytes())
    del said["kernel"], said["written"], said["names"]
    (tmp_path / FILE).write_text(json.dumps(said))
    assert port.read() == REPORT
    assert port.kernel().value == KernelLook()


def test_the_writer_says_who_it_is(writer, tmp_path):
    writer.announce("GPU 0: x")
    assert json.loads((tmp_path / FILE).read_bytes())["pid"] == os.getpid()
