"""Probes that come and go while the agent runs: another configuration may bring others."""

import asyncio
from collections.abc import Sequence
from typing import Any

from inferagent.runtime.probes import Probe


class Crew:
    def __init__(self) -> None:
        self._probes: Sequence[Probe[Any]] = ()
        self._changed = asyncio.Event()

    def use(self, probes: Sequence[Probe[Any]]) -> None:
        """These from now on; looks of the others that are under way are cancelled."""
        self._probes = probes
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._changed.clear()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(probe.run()) for probe in self._probes]
                await self._changed.wait()
                for task in tasks:
                    task.cancel()
