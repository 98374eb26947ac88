"""GPU readings as the probe program leaves them."""

from dataclasses import dataclass

from inferagent.model.reading import NEVER, Reading


@dataclass(frozen=True, slots=True)
class GpuProcess:
    pid: int
    memory_bytes: int
    kind: str = "compute"  # compute | graphics


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
