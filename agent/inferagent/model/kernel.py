"""What the kernel's log and the driver's files tell of the GPUs, without a call of the driver."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KernelFault:
    """All lines of one kind about one GPU, in boot-clock seconds and local clock times of the first and last.

    `words` go on from "GPU 1"; `cure` is "reboot", "reset", or "" for what is worth saying and no fault.
    `evidence` names the line ("XID 79"), `sequence` is the kernel's number of the last.
    """

    pci: str
    code: str
    words: str
    cure: str
    evidence: str
    at: float
    clock: str
    last_at: float
    last_clock: str
    sequence: int
    index: int | None = None
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class KernelLook:
    """`unread`: why the kernel's log cannot be read, "" where it is. `mismatch`: driver against library."""

    faults: tuple[KernelFault, ...] = ()
    unread: str = ""
    sequence: int = -1  # the last line that was looked at
    mismatch: str = ""
