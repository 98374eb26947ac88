"""Readings of the host itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostLook:
    """`resumed_at`: boot-clock second of the last resume from sleep seen, or None. Bytes, percent, load."""

    memory_total: int
    memory_available: int
    disk_free: int
    load1: float
    resumed_at: float | None = None
