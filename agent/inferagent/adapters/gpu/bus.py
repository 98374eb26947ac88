"""GPUs as the PCI bus knows them: one that vanished from its driver gives no error, only another count."""

from pathlib import Path

from inferagent.model.reading import Failed, NotAvailable, Reading, Value

DEVICES = Path("/sys/bus/pci/devices")
NVIDIA, AMD = "0x10de", "0x1002"
_DISPLAY = "0x03"  # the class byte of VGA and 3D controllers


def count_gpus(
    now: float, vendor: str = NVIDIA, driver: str = "nvidia", devices: Path = DEVICES
) -> Reading[int]:
    """GPUs of `vendor` that are its driver's to serve.

    One bound to no driver or to another (handed to a virtual machine, too old for the driver) was never in
    the driver's count, so it cannot vanish from it. NotAvailable where the host has no such GPU or no PCI.
    """
    if not devices.is_dir():
        return NotAvailable(now)
    try:
        found = [device for device in devices.iterdir() if _is_gpu(device, vendor)]
    except OSError as error:
        return Failed(f"cannot read {devices}: {error.strerror}", now)
    if not found:
        return NotAvailable(now)
    return Value(len(_driven(found, driver)), now)


def places(vendor: str = NVIDIA, driver: str = "nvidia", devices: Path = DEVICES) -> tuple[str, ...]:
    """Their PCI addresses, in the order in which NVIDIA's driver counts them; () where unreadable."""
    try:
        found = [device for device in devices.iterdir() if _is_gpu(device, vendor)]
    except OSError:
        return ()
    return tuple(sorted(device.name for device in _driven(found, driver)))


def _driven(found: list[Path], driver: str) -> list[Path]:
    return [device for device in found if (device / "driver").resolve().name == driver]


def _is_gpu(device: Path, vendor: str) -> bool:
    try:
        kind = (device / "class").read_text("ascii")
        return kind.startswith(_DISPLAY) and (device / "vendor").read_text("ascii").strip() == vendor
    except FileNotFoundError:  # it left the bus while we looked
        return False
