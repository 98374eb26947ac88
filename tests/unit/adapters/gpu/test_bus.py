import pytest

from inferagent.adapters.gpu.bus import AMD, count_gpus, places
from inferagent.model.reading import NotAvailable, Value


@pytest.fixture
def bus(tmp_path):
    def add(name, vendor="0x10de", kind="0x030000", driver="nvidia"):
        device = tmp_path / "devices" / name
        device.mkdir(parents=True)
        (device / "vendor").write_text(vendor + "\n")
        (device / "class").write_text(kind + "\n")
        if driver:
            (tmp_path / driver).mkdir(exist_ok=True)
            (device / "driver").symlink_to(tmp_path / driver)

    add("0", vendor="0x8086", kind="0x020000", driver="e1000e")
    return add


def count(tmp_path):
    return count_gpus(5.0, devices=tmp_path / "devices")


def test_vga_and_3d_controllers_count(bus, tmp_path):
    bus("1")
    bus("2", kind="0x030200")
    assert count(tmp_path) == Value(2, 5.0)


def test_their_sound_and_other_vendors_do_not(bus, tmp_path):
    bus("1")
    bus("2", kind="0x040300")
    bus("3", vendor="0x1002")
    assert count(tmp_path) == Value(1, 5.0)


def test_one_that_another_driver_or_none_has_was_never_in_the_drivers_count(bus, tmp_path):
    bus("1")
    bus("2", driver="vfio-pci")
    bus("3", driver="")
    assert count(tmp_path) == Value(1, 5.0)


def test_a_host_without_such_a_gpu_is_not_applicable(bus, tmp_path):
    assert count(tmp_path) == NotAvailable(5.0)
    assert count_gpus(5.0, devices=tmp_path / "nowhere") == NotAvailable(5.0)


def test_a_device_that_leaves_while_we_look_does_not_count(bus, tmp_path):
    bus("1")
    (tmp_path / "devices" / "2").mkdir()
    assert count(tmp_path) == Value(1, 5.0)


def test_places_are_in_the_order_of_the_bus_and_of_one_driver_s_cards_only(bus, tmp_path):
    for name in ("0000:41:00.0", "0000:03:00.0"):
        bus(name, vendor="0x1002", driver="amdgpu")
    bus("0000:01:00.0")
    devices = tmp_path / "devices"
    assert places(AMD, "amdgpu", devices) == ("0000:03:00.0", "0000:41:00.0")
    assert places(devices=devices) == ("0000:01:00.0",)
    assert places(devices=tmp_path / "none") == ()
