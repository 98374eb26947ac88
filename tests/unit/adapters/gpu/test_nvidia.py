import ctypes
import os
from pathlib import Path

import pytest
from tests.fixtures.nvml.build import Driver, build

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.nvidia import NvidiaGpus
from inferagent.model.gpu import GpuProcess
from inferagent.model.reading import Failed, NotAvailable, Value


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = build(tmp_path_factory.mktemp("nvml"))
    return ctypes.CDLL(str(folder / "libnvidia-ml.so.1"))  # the binding finds what is loaded under this name


@pytest.fixture
def driver(library, tmp_path, monkeypatch):
    monkeypatch.setenv("NVML_STATE", str(tmp_path / "state"))
    return Driver(tmp_path / "state")


class Host:
    def __init__(self, devices: Path) -> None:
        self.calls: list[str] = []
        self.gpus = NvidiaGpus(BootClock(), self.calls.append, devices)

    def report(self):
        reading = self.gpus.read()
        assert isinstance(reading, Value), reading
        return reading.value

    def gpu(self, index=0):
        return self.report().gpus[index]


@pytest.fixture
def host(driver, tmp_path):
    made = Host(tmp_path / "bus")
    yield made
    driver.say(count="1")
    made.gpus.close()


def test_a_healthy_gpu_says_everything(host, driver):
    driver.say(
        count="1",
        _0_utilisation="37",
        _0_used="5000",
        _0_total="9000",
        _0_temperature="61",
        _0_pid="4999001",
        _0_pid_memory="4000",
        _0_game="4999002",
    )
    report = host.report()
    gpu = report.gpus[0]
    assert report.driver == "580.1"
    assert (gpu.index, gpu.uuid, gpu.name, gpu.pci, gpu.fault) == (
        0,
        "GPU-0",
        "Stand-in 0",
        "00000000:01:00.0",
        "",
    )
    numbers = [gpu.utilisation, gpu.memory_used, gpu.memory_total, gpu.temperature]
    assert [number.value for number in numbers] == [37, 5000, 9000, 61]
    assert gpu.processes.value == (GpuProcess(4999001, 4000, "compute"), GpuProcess(4999002, 0, "graphics"))


def test_every_call_is_announced_and_the_last_announcement_is_none(host):
    host.report()
    assert host.calls[0] == "the NVIDIA driver: nvmlInit"
    assert "GPU 0: nvmlDeviceGetUtilizationRates" in host.calls
    assert host.calls[-1] == ""


@pytest.mark.parametrize(
    ("code", "kind"),
    [("3", NotAvailable), ("13", NotAvailable), ("4", Failed), ("10", Failed), ("999", Failed)],
)
def test_a_call_that_fails_spoils_its_own_reading_only(host, driver, code, kind):
    driver.say(count="1", _0_nvmlDeviceGetTemperature=code)
    gpu = host.gpu()
    assert isinstance(gpu.temperature, kind)
    assert isinstance(gpu.utilisation, Value)
    assert gpu.fault == ""


def test_a_lost_gpu_keeps_its_name_and_the_other_its_readings(host, driver):
    driver.say(count="2")
    host.report()
    driver.say(count="2", _1_any="15")
    whole, lost = host.report().gpus
    assert (lost.fault, lost.uuid) == ("lost", "GPU-1")
    assert isinstance(lost.utilisation, Failed)
    assert whole.fault == ""
    assert isinstance(whole.utilisation, Value)


def test_a_gpu_that_is_not_even_found_is_lost_too(host, driver):
    driver.say(count="1")
    host.report()
    driver.say(count="1", _0_handle="15")
    gpu = host.gpu()
    assert (gpu.fault, gpu.uuid) == ("lost", "GPU-0")
    assert isinstance(gpu.memory_used, Failed)


def test_reset_required_is_a_fault_and_lost_is_worse(host, driver):
    driver.say(count="1", _0_nvmlDeviceGetMemoryInfo="16")
    assert host.gpu().fault == "reset-required"
    driver.say(count="1", _0_nvmlDeviceGetMemoryInfo="16", _0_nvmlDeviceGetTemperature="15")
    assert host.gpu().fault == "lost"
    driver.say(count="1")
    assert host.gpu().fault == ""


@pytest.mark.parametrize("code", ["9", "18", "999"])
def test_a_driver_that_does_not_open_is_unknown_and_tried_again(host, driver, code):
    driver.say(init=code)
    assert isinstance(host.gpus.read(), Failed)
    driver.say(count="1")
    assert host.gpu().name == "Stand-in 0"


def test_the_count_on_the_bus_goes_with_the_report(host, driver, tmp_path):
    device = tmp_path / "bus" / "0000:01:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x10de\n")
    (device / "class").write_text("0x030200\n")
    (tmp_path / "nvidia").mkdir()
    (device / "driver").symlink_to(tmp_path / "nvidia")
    assert host.report().pci_count.value == 1


def test_the_state_reaches_the_library(host, driver):
    """Guards the fixture: a stand-in that read no state would make every test above pass for nothing."""
    driver.say(count="3")
    assert os.environ["NVML_STATE"] == str(driver.path)
    assert len(host.report().gpus) == 3


def on_bus(folder, *addresses, vendor="0x10de", driver="nvidia"):
    (folder / driver).mkdir(parents=True)
    for address in addresses:
        device = folder / "bus" / address
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{vendor}\n")
        (device / "class").write_text("0x030200\n")
        (device / "driver").symlink_to(folder / driver)


def test_a_gpu_that_never_answered_is_where_the_bus_has_it(host, driver, tmp_path):
    on_bus(tmp_path, "0000:02:00.0", "0000:01:00.0")
    driver.say(count="2", _0_handle="15", _1_handle="15")
    assert [gpu.pci for gpu in host.report().gpus] == ["0000:01:00.0", "0000:02:00.0"]


def test_where_bus_and_driver_count_differently_nobody_guesses(host, driver, tmp_path):
    on_bus(tmp_path, "0000:01:00.0", "0000:02:00.0")
    driver.say(count="1", _0_handle="15")
    assert host.gpu().pci == ""


def test_a_library_that_is_not_the_driver_s_own_is_told_apart_from_other_failures(host, driver):
    driver.say(init="999")
    assert isinstance(host.gpus.read(), Failed)
    assert not host.gpus.misfit
    driver.say(init="18")
    assert isinstance(host.gpus.read(), Failed)
    assert host.gpus.misfit
