"""The live view: one line a host while the story runs; where there is no screen, one line a change."""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from inferagent.lab.demo.world import World
from inferagent.lab.traffic import Traffic

EVERY = 0.25


@dataclass
class Watch:
    """`documents` holds each host's last Status document, None while its agent does not answer."""

    world: World
    traffic: Traffic
    console: Console
    documents: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)
    _chapter: str = ""
    _begun: float = 0.0

    def say(self, text: str) -> None:
        self._chapter = text
        if not self.console.is_terminal:
            self._print(text)

    def _print(self, text: str) -> None:
        now = asyncio.get_running_loop().time()
        self._begun = self._begun or now
        print(f"{now - self._begun:6.1f} s  {text}", flush=True)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        if self.console.is_terminal:
            with Live(self._screen(), console=self.console, refresh_per_second=4, transient=True) as live:
                while not stop.is_set():
                    await self._look()
                    live.update(self._screen())
                    await asyncio.sleep(EVERY)
            return
        while not stop.is_set():
            await self._look()
            for name, line in self._lines().items():
                if self._said.get(name) != line:
                    self._said[name] = line
                    self._print(f"{name:9} {line}")
            await asyncio.sleep(EVERY)

    async def _look(self) -> None:
        for host in self.world.hosts:
            self.documents[host.name] = await host.status()

    def _lines(self) -> dict[str, str]:
        return {
            name: str(document["sentence"]) if document else "the agent does not answer"
            for name, document in self.documents.items()
        }

    def _screen(self) -> Table:
        tally = self.traffic.tally()
        table = Table(title=f"{self._chapter}   {tally.sent} requests, {tally.failed} failed")
        for column in ("host", "pool", "what its agent says"):
            table.add_column(column)
        for name, line in self._lines().items():
            document = self.documents[name] or {}
            pool = (document.get("membership") or {}).get("state", "?")
            table.add_row(name, str(pool), line)
        return table


def console() -> Console:
    plain = None if sys.stdout.isatty() else 120
    return Console(file=sys.stdout, width=plain)
