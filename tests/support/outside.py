"""A host as it is seen from outside of its agent: account, ready URL, processes, the engine's own witness.

All times are wall seconds, as the account's journal has them.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import World

LOOK = 0.02  # seconds between two looks at the ready URL
EVERY = 5  # looks between two looks at the processes
UNANSWERED = 0

Seen = list[tuple[float, Any]]  # each change, and when it was first seen


@dataclass
class Outside:
    """`ready`: status codes; `engine`, `connector`: main pids, 0 for none; `routed`: by the edge."""

    world: World
    host: Host
    witness: Path
    pool: str = ""
    ready: Seen = field(default_factory=list)
    engine: Seen = field(default_factory=list)
    connector: Seen = field(default_factory=list)
    routed: Seen = field(default_factory=list)

    async def watch(self) -> None:
        """Until cancelled."""
        self.pool = (await self.world.pool(self.host))["id"]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_closely())
            group.create_task(self._look_at_edge())

    async def _look_closely(self) -> None:
        looks = 0
        while True:
            note(self.ready, await ready_code(self.host.ready_port))
            if looks % EVERY == 0:
                note(self.engine, self.host.pid("engine"))
                note(self.connector, self.host.pid("connector"))
            looks += 1
            await asyncio.sleep(LOOK)

    async def _look_at_edge(self) -> None:
        while True:
            routed = (await self.world.ask("GET", "/edge"))["routed"]
            note(self.routed, bool(routed.get(self.pool)))
            await asyncio.sleep(LOOK * EVERY)

    async def writes(self, since: float) -> list[tuple[float, bool]]:
        """When the account took which word on this host's pool."""
        return [
            (write["time"], write["body"]["enabled"])
            for write in await self.world.ask("GET", "/journal")
            if write["method"] == "PATCH" and write["path"].endswith(self.pool) and write["time"] >= since
        ]

    def lives(self, since: float) -> list[tuple[float, str, int]]:
        """What the engine's lives wrote down themselves."""
        lines = [json.loads(line) for line in self.witness.read_text().splitlines()]
        return [(line["at"], line["what"], line["pid"]) for line in lines if line["at"] >= since]


def note(seen: Seen, found: Any) -> None:
    if not seen or seen[-1][1] != found:
        seen.append((time.time(), found))


def between(seen: Seen, begun: float, ended: float) -> list[tuple[float, Any]]:
    """What held at `begun`, then each change up to `ended`."""
    before = [entry for entry in seen if entry[0] <= begun][-1:]
    return before + [entry for entry in seen if begun < entry[0] <= ended]


async def ready_code(port: int) -> int:
    """The status of the ready URL; UNANSWERED where nobody answers."""
    try:
        async with asyncio.timeout(3.0):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /.inferagent/ready HTTP/1.1\r\nHost: ready\r\n\r\n")
                return int((await reader.readline()).split()[1])
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError, IndexError, ValueError):
        return UNANSWERED
