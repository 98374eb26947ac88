"""Lines of the kernel's log that tell of a GPU: XIDs, a GPU off its bus, an amdgpu that cannot recover.

Pure: records in, faults out. What is kept is bounded, whatever comes in and however often.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from inferagent.adapters.gpu.xid import LOST, REBOOT, RECOVERY, Meaning, meaning
from inferagent.model.gpu import place
from inferagent.model.kernel import KernelFault

MOST = 64  # kinds of lines, and GPUs, that are kept
RESETS, WITHIN = 3, 3600.0  # so many resets of an amdgpu in so many seconds are a fault
LONGEST = 2000  # bytes of a message that are looked at

_RECORD = re.compile(rb"(\d{1,4}),(\d{1,19}),(\d{1,19}),[^;]{0,200};(.*)", re.DOTALL)
_PLACE = re.compile(r"\b[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\b")
_XID = re.compile(r"NVRM: Xid \((?:PCI:)?([0-9a-fA-F:.]{5,16})[^)]{0,60}\): (\d{1,4})\b(.*)", re.DOTALL)
_RECOVERY = re.compile(r"recovery action changed from .{1,60} to 0x([0-9a-fA-F]{1,4})\b")
_UUID = re.compile(r"NVRM: GPU at (?:PCI:)?([0-9a-fA-F:.]{5,16}): (GPU-[0-9a-f-]{36})\b")
_AMD = re.compile(r"amdgpu[ :]|\[drm:amdgpu_")
_RESET_FAILED = re.compile(r"GPU reset\(\d+\) failed|GPU Recovery Failed|GPU reset end with ret = -\d")

_AMD_FAULTS = (
    (re.compile(r"device lost from bus"), LOST),
    (_RESET_FAILED, Meaning("reset-failed", "could not be reset by its driver", REBOOT)),
    (re.compile(r"device wedged, needs recovery"), Meaning("wedged", "is wedged", REBOOT)),
    (re.compile(r"\bring \S+ timeout"), Meaning("ring-timeout", "was reset by its driver after a hang")),
)
_AGAIN_AND_AGAIN = Meaning("resets", f"was reset {RESETS} times within an hour", REBOOT)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a record was written: boot-clock seconds and the host's clock time."""

    at: float
    clock: str


Dated: TypeAlias = Callable[[int], Moment]  # of a record's time stamp, in microseconds


@dataclass
class KernelLines:
    """What all records so far say; `uuids` by place where the kernel named them."""

    faults: dict[tuple[str, str], KernelFault] = field(default_factory=dict)
    uuids: dict[str, str] = field(default_factory=dict)
    sequence: int = -1
    _nvidia: str = ""  # the place in the last line of this driver: some lines go on without one
    _amd: str = ""
    _resets: dict[str, deque[float]] = field(default_factory=dict)

    def take(self, record: bytes, moment: Dated) -> bool:
        """Whether a new kind of line came. Anything that is no record of the kernel's own is passed over."""
        found = _RECORD.match(record[: LONGEST + 300])
        if found is None or int(found[1]) >> 3:  # another facility: some program wrote it
            return False
        sequence = int(found[2])
        self.sequence = max(self.sequence, sequence)
        message = found[4][:LONGEST]
        nvidia, amd = b"NVRM:" in message, b"amdgpu" in message
        if not (nvidia or amd):
            return False
        text = message.decode("ascii", "replace")
        said = self._nvidia_line(text) if nvidia else self._amd_line(text, moment(int(found[3])).at)
        return said is not None and self._note(*said, moment(int(found[3])), sequence)

    def _nvidia_line(self, text: str) -> tuple[str, Meaning, str] | None:
        found = _XID.match(text)
        if found:
            self._nvidia = place(found[1])
            return self._xid(int(found[2]), found[3])
        named = _UUID.match(text)
        if named and len(self.uuids) < MOST:
            self.uuids[place(named[1])] = named[2]
        where = _PLACE.search(text)
        self._nvidia = place(where[0]) if where else self._nvidia
        return (self._nvidia, LOST, "") if "fallen off the bus" in text else None

    def _xid(self, number: int, rest: str) -> tuple[str, Meaning, str] | None:
        if number == 154:
            action = _RECOVERY.search(rest)
            means = RECOVERY.get(int(action[1], 16)) if action else None
        else:
            means = meaning(number)
        return (self._nvidia, means, f"XID {number}") if means else None

    def _amd_line(self, text: str, at: float) -> tuple[str, Meaning, str] | None:
        if not _AMD.match(text):
            return None
        where = _PLACE.search(text)
        self._amd = place(where[0]) if where else self._amd
        if ": GPU reset begin!" in text:  # so long that no process can bear it as its name
            return (self._amd, _AGAIN_AND_AGAIN, "amdgpu") if self._often(at) else None
        means = next((means for pattern, means in _AMD_FAULTS if pattern.search(text)), None)
        return (self._amd, means, "amdgpu") if means else None

    def _often(self, at: float) -> bool:
        if self._amd not in self._resets and len(self._resets) >= MOST:
            return False
        times = self._resets.setdefault(self._amd, deque(maxlen=RESETS))
        times.append(at)
        return len(times) == RESETS and at - times[0] <= WITHIN

    def _note(self, where: str, means: Meaning, evidence: str, moment: Moment, sequence: int) -> bool:
        key = (where, means.code)
        before = self.faults.get(key)
        if before is None and len(self.faults) >= MOST and not self._room_for(means):
            return False
        if before is None:
            self.faults[key] = KernelFault(
                where,
                means.code,
                means.words,
                means.cure,
                evidence,
                moment.at,
                moment.clock,
                moment.at,
                moment.clock,
                sequence,
            )
            return True
        if sequence > before.sequence:
            last = replace(before, last_at=moment.at, last_clock=moment.clock, sequence=sequence)
            self.faults[key] = replace(last, evidence=before.evidence or evidence)
        return False

    def _room_for(self, means: Meaning) -> bool:
        """A fault takes the place of the oldest line that is only worth saying."""
        note = next((key for key, fault in self.faults.items() if not fault.cure), None)
        if not means.cure or note is None:
            return False
        del self.faults[note]
        return True
