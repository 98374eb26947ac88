"""GPU readings as the probe program leaves them."""

import re
from dataclasses import dataclass

from inferagent.model.reading import NEVER, Reading

_PLACE = re.compile(r"(?:([0-9a-fA-F]{1,8}):)?([0-9a-fA-F]{2}):([0-9a-fA-F]{2})(?:\.[0-9a-fA-F])?")


def place(address: str) -> str:
    """A PCI address as "0000:01:00": driver, kernel and bus write it in three ways. "" for anything else."""
    found = _PLACE.fullmatch(address.strip())
    return f"{int(found[1] or '0', 16):04x}:{found[2]}:{found[3]}".lower() if found else ""


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """`name` is the kernel's for it, "" where it cannot be read. `parents`: its parent, that one's, up to 1.
    `memory_bytes` 0: the driver does not say."""

    pid: int
    memory_bytes: int
    kind: str = "compute"  # compute | graphics
    name: str = ""
    parents: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. Percent, bytes, °C; `fault` is "" or a stable word: "lost", "reset-required"."""

    index: int
    uuid: str
    name: str
    pci: str = ""
    utilisation: Reading[int] = NEVER
    memory_used: Reading[int] = NEVER
    memory_total: Reading[int] = NEVER
    temperature: Reading[int] = NEVER
    processes: Reading[tuple[GpuProcess, ...]] = NEVER
    fault: str = ""


@dataclass(frozen=True, slots=True)
class GpuReport:
    """All GPUs at one look. `pci_count` counts GPUs on the bus by sysfs; `stuck` says which call hangs."""

    gpus: tuple[Gpu, ...]
    pci_count: Reading[int] = NEVER
    driver: str = ""
    stuck: str = ""
