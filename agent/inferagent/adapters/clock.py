"""The host's clocks: boot time (it counts through suspend) for every duration, wall time for display only."""

import time
from datetime import datetime
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class BootClock:
    """The Clock port on CLOCK_BOOTTIME; the boot id is read once, it cannot change under a living process."""

    def __init__(self, boot_id: Path = BOOT_ID) -> None:
        self._boot = boot_id.read_text("ascii").strip()

    def now(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot(self) -> str:
        return self._boot

    def wall(self) -> str:
        return datetime.now().astimezone().isoformat(timespec="seconds")

    async def sleep(self, seconds: float) -> None:
        import asyncio  # late: the GPU probe wants the time and nothing of this

        await asyncio.sleep(seconds)
