"""Small real implementations of the ports: a unit, a pool, a state folder, a verdict, in memory."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from inferagent.model.desired import Hold
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.model.reading import Reading, Value
from inferagent.model.saved import Saved
from inferagent.model.unit import Unit, UnitState
from inferagent.ports import Clock, PortError


@dataclass
class FakeUnit:
    """A unit that does what it is told, at once; `deeds` lists what that was."""

    clock: Clock
    state: Unit = field(default_factory=lambda: Unit(UnitState.RUNNING, "101:1", 101))
    deeds: list[str] = field(default_factory=list)
    lives: int = 101
    _write: Callable[[Reading[Unit]], None] | None = None

    async def watch(self, write: Callable[[Reading[Unit]], None]) -> None:
        self._write = write
        self.put(self.state)
        await asyncio.Event().wait()

    def put(self, unit: Unit) -> None:
        self.state = unit
        if self._write is not None:
            self._write(Value(unit, self.clock.now()))

    def die(self, state: UnitState = UnitState.FAILED) -> None:
        self.put(Unit(state, since=self.clock.now(), exit="killed by signal 9"))

    async def start(self) -> None:
        self.deeds.append("start")
        self.lives += 1
        self.put(Unit(UnitState.RUNNING, f"{self.lives}:1", self.lives, self.clock.now()))

    async def stop(self) -> None:
        self.deeds.append("stop")
        self.put(Unit(UnitState.STOPPED, since=self.clock.now(), exit="exit code 0"))

    async def restart(self) -> None:
        self.deeds.append("restart")
        await self.start()


@dataclass
class FakePool:
    """A pool of this host and others; `latency` in seconds; `lost`: every call fails; `hung`: none ends."""

    enabled: bool = True
    healthy: bool | None = True
    peers: tuple[Endpoint, ...] | None = (Endpoint("other", True, True, 1),)
    latency: float = 0.1
    lost: bool = False
    hung: bool = False
    writes: list[bool] = field(default_factory=list)

    async def read(self) -> MembershipView:
        await self._answer()
        return MembershipView(
            Endpoint("here", self.enabled, self.healthy if self.enabled else None), self.peers
        )

    async def push(self, member: bool) -> None:
        await self._answer()
        self.writes.append(member)
        self.enabled = member

    async def _answer(self) -> None:
        if self.hung:
            await asyncio.Event().wait()
        await asyncio.sleep(self.latency)
        if self.lost:
            raise PortError("cannot reach the API")


@dataclass
class FakeState:
    """Saved state and hold in memory; `full` is a disk that takes nothing. `order` is shared with others."""

    saved: Saved | None = None
    hold: Hold | None = None
    full: bool = False
    order: list[str] = field(default_factory=list)

    def load(self) -> Saved | None:
        return self.saved

    def save(self, saved: Saved) -> None:
        self.order.append(f"save {saved.phase}")
        if self.full:
            raise PortError("cannot save the state: no space left on device")
        self.saved = saved

    def load_hold(self) -> Hold | None:
        return self.hold

    def save_hold(self, hold: Hold | None) -> None:
        self.order.append("save hold")
        if self.full:
            raise PortError("cannot save the hold: no space left on device")
        self.hold = replace(hold, durable=True) if hold else None


@dataclass
class FakeVerdict:
    told: list[bool] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def write(self, ready: bool, phase: str) -> None:
        self.order.append(f"verdict {200 if ready else 503}")
        self.told.append(ready)

    def read(self) -> bool | None:
        return self.told[-1] if self.told else None
