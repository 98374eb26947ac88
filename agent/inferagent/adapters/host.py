"""Readings of the host itself: memory, disk, load, and whether it slept."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from inferagent.adapters.engine.aside import Aside
from inferagent.config.present import mode_of
from inferagent.model.host import HostLook
from inferagent.ports import Clock

PATIENCE = 3.0  # seconds; a disk that hangs would keep whoever asks for its space
SLEPT = 2.0  # seconds of suspend between two looks that count as sleep; less is the clocks' own noise


def suspended() -> float:
    """Seconds that this boot has spent asleep: boot time counts them, monotonic time does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class HostReadings:
    """The HostPort. `folder` is where disk space matters; it need not exist yet."""

    def __init__(self, clock: Clock, folder: Path, slept: Callable[[], float] = suspended) -> None:
        self._clock = clock
        self._folder = folder
        self._aside = Aside("the host's memory and disk")
        self._slept = slept
        self._last = slept()
        self._resumed_at: float | None = None

    async def look(self) -> HostLook:
        slept = self._slept()
        if slept - self._last >= SLEPT:
            self._resumed_at = self._clock.now()
        self._last = slept
        return await self._aside.read(lambda: _read(self._folder, self._resumed_at), PATIENCE)


def _read(folder: Path, resumed_at: float | None) -> HostLook:
    memory = psutil.virtual_memory()
    free = psutil.disk_usage(str(_existing(folder))).free
    return HostLook(memory.total, memory.available, free, os.getloadavg()[0], resumed_at)


def _existing(folder: Path) -> Path:
    return next((place for place in (folder, *folder.parents) if stat.S_ISDIR(mode_of(place))), Path("/"))
