"""The demo's story: what happens to the two hosts, and what each event may cost the users."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from inferagent.lab.demo.host import CommandError, Host, leaves
from inferagent.lab.demo.watch import Watch
from inferagent.lab.demo.world import World
from inferagent.lab.traffic import Traffic

AGENTS_DOWN = 30.0
# How long a host may take to come back: a real engine loads for minutes, a stand-in for seconds.
BACK, BACK_REAL = 60.0, 240.0


@dataclass
class Event:
    """One chapter. Times are the traffic's monotonic seconds; `out_at` is when the edge let the host go.

    `forgiving`: requests begun before `out_at` may fail, none else; otherwise none may. `struck`: when the
    blow fell, where that was later than the beginning.
    """

    title: str
    forgiving: bool
    begun: float = 0.0
    ended: float = 0.0
    struck: float | None = None
    out_at: float | None = None
    said: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def to_out(self) -> float | None:
        if self.out_at is None:
            return None
        return self.out_at - (self.begun if self.struck is None else self.struck)


@dataclass
class Story:
    """Runs the chapters one after the other.

    `cache`: for so many seconds an edge location may still use a hostname that it resolved before a change.
    """

    world: World
    traffic: Traffic
    watch: Watch
    cache: float
    events: list[Event] = field(default_factory=list)

    async def tell(self) -> None:
        gcp, home = self.world.hosts
        await self._event("both serve", False, self._steady)
        await self._event(f"drain {gcp.name} --stop-engine", False, lambda e: self._drain(e, gcp))
        await self._event(f"resume {gcp.name}", False, lambda e: self._resume(e, gcp))
        await self._event(f"{gcp.name}: engine killed, API lost", True, lambda e: self._kill(e, gcp))
        await self._event(f"{home.name}: engine hangs", True, lambda e: self._hang(e, home))
        await self._event(f"{gcp.name} vanishes, returns", True, lambda e: self._vanish(e, gcp))
        await self._event("both agents killed for 30 s", False, self._agents_down)

    async def _event(self, title: str, forgiving: bool, run: Callable[[Event], Awaitable[None]]) -> None:
        event = Event(title, forgiving, begun=self._now())
        self.events.append(event)
        self.watch.say(f"— {title}")
        try:
            await run(event)
        except* (TimeoutError, CommandError) as errors:
            event.problems += [str(error) for error in leaves(errors)]
        event.ended = self._now()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _steady(self, _event: Event) -> None:
        await asyncio.sleep(4)

    async def _gone(self, event: Event, host: Host, seconds: float) -> None:
        """Until the edge routes nothing more to the host; keeps what the agent said then."""

        async def gone() -> bool:
            self._listen(event, host)
            return not await self.world.routes_to(host)

        await self.world.until(f"{host.name} out of the pool", gone, seconds)
        event.out_at = self._now() + self.cache

    def _listen(self, event: Event, host: Host) -> None:
        document = self.watch.documents.get(host.name) or {}
        if document.get("phase") in ("draining", "out") and not event.said:
            event.said = str(document["sentence"])

    async def _back(self, event: Event, host: Host) -> None:
        """Until the host serves again and the edge routes to it."""

        async def back() -> bool:
            self._listen(event, host)
            document = await host.status()
            serving = document is not None and document["phase"] == "serving"
            return serving and await self.world.routes_to(host)

        await self.world.until(f"{host.name} serves again", back, BACK_REAL if host.engine.real else BACK)
        if not event.said:
            event.said = "serving"

    async def _drain(self, event: Event, host: Host) -> None:
        async with asyncio.TaskGroup() as group:
            words = ("drain", "--config", str(host.config), "--wait", "--stop-engine", "--reason", "demo")
            group.create_task(host.command(*words))
            await self._gone(event, host, 30)
        if host.pid("engine"):

            async def stopped() -> bool:
                return host.pid("engine") == 0

            await self.world.until(f"{host.name}'s engine stopped", stopped, 30)

    async def _resume(self, event: Event, host: Host) -> None:
        await host.command("resume", "--config", str(host.config))
        event.said = "serving"
        await self._back(event, host)

    async def _kill(self, event: Event, host: Host) -> None:
        fault = {"kind": "status", "status": 503, "token": host.token}
        await self.world.fault(**fault)
        host.kill_engine()
        await self._gone(event, host, 30)
        await asyncio.sleep(2)
        await self.world.mend()
        await self._back(event, host)

    async def _hang(self, event: Event, host: Host) -> None:
        async def loaded() -> bool:
            return host.worker() is not None

        await self.world.until(f"{host.name} has a runner", loaded, 30)
        event.struck = self._now()
        host.hang_engine()
        await self._gone(event, host, 60)
        await self._back(event, host)

    async def _vanish(self, event: Event, host: Host) -> None:
        await host.vanish()
        event.said = "(nothing: the host was gone)"
        await self._gone(event, host, 30)
        await asyncio.sleep(1)
        self.watch.say(f"— {host.name} returns")
        await host.start_agent()
        await self._back(event, host)

    async def _agents_down(self, event: Event) -> None:
        before = await self._memberships()
        for host in self.world.hosts:
            await host.kill_agent()
        event.said = "(nothing: no agent ran)"
        await asyncio.sleep(AGENTS_DOWN)
        if await self._memberships() != before:
            event.problems.append("the membership changed while no agent ran")
        for host in self.world.hosts:
            await host.start_agent()
        for host in self.world.hosts:
            await self.world.in_phase(host, "serving", 20)
        if await self._memberships() != before:
            event.problems.append("the membership changed when the agents came back")

    async def _memberships(self) -> tuple[list[bool], int]:
        """Enabled or not, host by host, and how many writes the account has seen."""
        pools = [await self.world.pool(host) for host in self.world.hosts]
        return [bool(pool["enabled"]) for pool in pools], len(await self.world.ask("GET", "/journal"))
