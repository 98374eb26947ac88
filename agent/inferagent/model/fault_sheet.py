"""What `inferagent fault list` shows."""

from dataclasses import dataclass

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class FaultRow:
    """`gpu` is its uuid, its place on the bus, or "count"; `seconds` since the fault; `cure` a command."""

    gpu: str
    index: int | None
    pci: str
    code: str
    text: str
    cure: str
    seconds: float


@dataclass(frozen=True, slots=True)
class FaultSheet:
    """`unread`: why the kernel's log is not read, "" where it is."""

    faults: tuple[FaultRow, ...]
    unread: str = ""
    schema: int = SCHEMA
