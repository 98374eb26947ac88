"""What NVIDIA's XID numbers mean for a host, as data: which are sticky faults, which only worth saying.

After NVIDIA's Xid catalogue (its column of immediate actions). Where its answer is "it depends" (144 to 150,
159, 167 to 172), the driver itself decides by XID 154, which names the action that it wants.
"""

from dataclasses import dataclass

REBOOT, RESET = "reboot", "reset"


@dataclass(frozen=True, slots=True)
class Meaning:
    """`code` is stable and short; `words` go on from "GPU 1"; `cure` "" is worth saying and no fault."""

    code: str
    words: str
    cure: str = ""


LOST = Meaning("lost", "fell off the bus", REBOOT)

FAULTS = {
    46: Meaning("hung", "stopped processing", RESET),
    48: Meaning("ecc", "has an uncorrectable memory error", RESET),
    62: Meaning("halted", "halted its power controller", RESET),
    64: Meaning("row-remap", "cannot retire a bad memory row", RESET),
    74: Meaning("nvlink", "has an NVLink error", RESET),
    79: LOST,
    95: Meaning("ecc", "has a memory error that nothing contained", RESET),
    109: Meaning("hung", "did not switch its context in time", RESET),
    110: Meaning("secure", "has a fault of its security engine", RESET),
    119: Meaning("gsp", "has firmware that does not answer", RESET),
    120: Meaning("gsp", "has firmware that failed", RESET),
    136: Meaning("nvlink", "cannot train its NVLink", RESET),
    140: Meaning("ecc", "has a memory error that cannot be recovered", RESET),
    143: Meaning("init", "could not be initialised", RESET),
    151: Meaning("secure", "could not rotate its keys", REBOOT),
    155: Meaning("nvlink", "lost an NVLink", RESET),
    156: Meaning("retired", "has retired a part of itself", RESET),
    158: Meaning("hung", "ran into a fatal time-out", RESET),
}

# The driver's own word, by the number that XID 154 changes its recovery action to. 0 is none; 3 and 5 ask
# nothing of this GPU alone.
RECOVERY = {
    1: Meaning("reset-required", "wants a reset", RESET),
    2: Meaning("reboot-required", "wants a reboot of the host", REBOOT),
    4: Meaning("reset-required", "wants a reset", RESET),
    6: Meaning("reboot-required", "wants a reset of its bus", REBOOT),
    7: Meaning("reboot-required", "wants a reboot of the host", REBOOT),
}

_DEPENDS = Meaning("xid-reported", "reported a fault that its driver weighs itself")
FINDINGS = {
    54: Meaning("xid-power", "misses its auxiliary power"),
    63: Meaning("xid-row-remap", "has a memory row to retire at its next reset"),
    78: Meaning("xid-vgpu", "could not start a virtual GPU"),
    92: Meaning("xid-corrected", "corrects many memory errors"),
    94: Meaning("xid-contained", "had a memory error that cost one program its work"),
    157: Meaning("xid-retirement", "could not retire a part of itself"),
    **dict.fromkeys((*range(144, 151), 159, *range(167, 173)), _DEPENDS),
}

# The running program's own fault, or a line in a log: nothing of the GPU's health.
PROGRAM = frozenset({8, 11, 13, 14, 25, *range(31, 46), 60, *range(66, 73), *range(75, 78), *range(80, 90)})
QUIET = frozenset({93, *range(96, 109), 121, *range(126, 136), 137, 139, 141, 152, 153, *range(160, 167)})


def meaning(number: int) -> Meaning | None:
    """None for what says nothing of the GPU; an unknown number is worth saying."""
    known = FAULTS.get(number) or FINDINGS.get(number)
    if known or number in PROGRAM or number in QUIET:
        return known
    return Meaning(f"xid-{number}", "reported what this version does not know")
