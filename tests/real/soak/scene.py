"""What a fault strikes: the soaked host in its world; and the waits that a chapter is made of."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.real.soak.family import Vigil, life_of
from tests.real.soak.fault import Chapter

from inferagent.lab.demo.host import INFERAGENT, Host
from inferagent.lab.demo.world import World
from inferagent.lab.processes import Process, Program

SEEN = 6.0  # seconds for which a reading of the pool is one of now
LOOK = 0.3  # seconds between two looks at the edge
# A hung engine may have to wait 300 s after the last restart (S8), and so long is an agent blind after a 429.
OUT_WITHIN, BACK_WITHIN, LOADED_WITHIN = 150.0, 480.0, 60.0


@dataclass
class Scene:
    """`environment`: of the agent, beside the usual. `routed`: each change at the edge, by time.monotonic."""

    world: World
    host: Host
    peer: Host
    environment: dict[str, str] = field(default_factory=dict)
    chapters: list[Chapter] = field(default_factory=list)
    routed: list[tuple[float, bool]] = field(default_factory=list)
    usual: dict[str, set[str]] = field(default_factory=dict)  # codes of findings that stand from the first
    vigil: Vigil | None = None  # over the engine's life that was struck

    @property
    def chapter(self) -> Chapter:
        return self.chapters[-1]

    def blow(self) -> None:
        """Right before the fault: the engine's present life is watched from now on."""
        life = life_of(self.host.pid("engine"), self.host.run)
        if life is not None:
            self.vigil = Vigil(life, self.host.run)
            self.vigil.start()
        self.chapter.struck = time.monotonic()

    async def start_agent(self, host: Host) -> None:
        host.folder.mkdir(parents=True, exist_ok=True)
        argv = [*INFERAGENT, "run", "--config", str(host.config)]
        own = self.environment if host is self.host else {}
        host.agent = await Program.start(argv, own, host.folder / "agent.log")

    async def edge(self, **order: object) -> Any:
        return await self.world.ask("POST", "/edge", order)

    async def tunnel(self) -> str:
        """The id of the soaked host's tunnel."""
        pool = await self.world.pool(self.host)
        return str(pool["origins"][0]["address"]).partition(".")[0]

    async def loaded(self) -> Process:
        """The process that makes the tokens, once there is one."""

        async def there() -> bool:
            return self.host.worker() is not None

        await self.until("the engine has a worker", there, LOADED_WITHIN)
        found = self.host.worker()
        if found is None:
            raise TimeoutError("the engine's worker was there, and is gone")
        return found

    async def watch_edge(self) -> None:
        """Keeps each change of whether the edge routes to the host; until it is cancelled."""
        while True:
            now = await self.world.routes_to(self.host)
            if not self.routed or self.routed[-1][1] is not now:
                self.routed.append((time.monotonic(), now))
            await asyncio.sleep(LOOK)

    def let_go(self, since: float) -> float | None:
        """When the edge first routed nothing more to the host after `since`."""
        return next((at for at, there in self.routed if at >= since and not there), None)

    async def gone(self) -> None:
        """Until the edge has let the host go since the blow."""

        async def left() -> bool:
            return self.let_go(self.chapter.struck or self.chapter.begun) is not None

        await self.until("the edge lets the host go", left, OUT_WITHIN)

    async def back(self, seconds: float = BACK_WITHIN) -> None:
        for host in self._concerned():
            await self.serving(host, seconds)

    async def serving(self, host: Host, seconds: float = BACK_WITHIN) -> None:
        async def holds() -> bool:
            status = await host.status()
            well = status is not None and status["phase"] == "serving" and not self._worse(host, status)
            return well and await self.world.routes_to(host)

        await self.until(f"{host.name} serves, sees all and is routed to", holds, seconds)

    def _worse(self, host: Host, status: dict[str, Any]) -> bool:
        """Whether its agent finds what it did not find at the beginning, or does not see the pool."""
        found = {str(finding["code"]) for finding in status["findings"]}
        age = status["membership"]["age"]
        return age is None or age > SEEN or not found <= self.usual.get(host.name, found)

    async def note_usual(self) -> None:
        """What each agent finds on this machine in any case, a full disk perhaps."""
        for host in self.world.hosts:
            status = await host.status()
            if status is not None:
                self.usual[host.name] = {str(finding["code"]) for finding in status["findings"]}

    def _concerned(self) -> list[Host]:
        everybody = self.chapters and self.chapter.fault.everybody
        return [self.host, self.peer] if everybody else [self.host]

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
        await self.world.until(what, holds, seconds)
