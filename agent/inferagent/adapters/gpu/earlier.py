"""What a probe of this boot before this one left in gpu.json: who the GPUs were, and what the kernel said.

A flood may have driven its lines out of the kernel's log since. What cannot be understood is left out.
"""

import json
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any

from inferagent.adapters.gpu.leave import FILE
from inferagent.adapters.gpu.roster import Name
from inferagent.model.kernel import KernelFault

_KINDS = {"at": (int, float), "last_at": (int, float), "sequence": (int,), "index": (int, NoneType)}


def earlier(run: Path, boot: str) -> tuple[dict[int, Name], tuple[KernelFault, ...]]:
    """Names by index, and faults; nothing of another boot."""
    try:
        left = json.loads((run / FILE).read_bytes())
        if left["boot"] != boot:
            return {}, ()
        names = [_name(row) for row in left["names"]]
        faults = [_fault(row) for row in left["kernel"]["faults"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}, ()
    return dict(name for name in names if name), tuple(fault for fault in faults if fault)


def _name(row: Any) -> tuple[int, Name] | None:
    match row:
        case [int() as index, str() as uuid, str() as name, str() as pci]:
            return index, Name(uuid, name, pci)
    return None


def _fault(row: Any) -> KernelFault | None:
    if not isinstance(row, dict) or set(row) != {field.name for field in fields(KernelFault)}:
        return None
    sound = all(isinstance(value, _KINDS.get(name, (str,))) for name, value in row.items())
    return KernelFault(**row) if sound else None
