"""What the core and the runtime ask of the world: small Protocols, each with fakes and real adapters.

Every coroutine here may raise PortError and nothing else of its library's; callers set the deadline by
`asyncio.timeout`, so each must be safe to cancel at any await.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from inferagent.model.check import CheckResult
from inferagent.model.desired import Hold
from inferagent.model.engine import EngineLook, Generation, Occupant
from inferagent.model.event import Event
from inferagent.model.gpu import GpuReport
from inferagent.model.host import HostLook
from inferagent.model.kernel import KernelLook
from inferagent.model.membership import MembershipView
from inferagent.model.notice import Book, Notice
from inferagent.model.reading import Reading
from inferagent.model.saved import Saved
from inferagent.model.tunnel import ConnectorLook
from inferagent.model.unit import Unit


class PortError(Exception):
    """A deed outside failed. The text reads "cannot …" and names the place.

    `retry_after` in seconds when the other side said so; `refused` True when the other side answered no (a
    retry without change is useless), False when it did not answer or was ill.
    """

    def __init__(self, text: str, *, retry_after: float | None = None, refused: bool = False) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        self.refused = refused


class Clock(Protocol):
    """Boot-time clock (counts through suspend) and wall time for display."""

    def now(self) -> float: ...
    def boot(self) -> str: ...
    def wall(self) -> str:
        """Local time, ISO 8601 with zone, seconds."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class UnitPort(Protocol):
    """One supervised unit. Deeds return when done; each is idempotent."""

    async def watch(self, write: Callable[[Reading[Unit]], None]) -> None:
        """Runs until cancelled; writes a reading at once, and another within milliseconds of each change."""
        ...

    async def start(self) -> None: ...
    async def stop(self) -> None:
        """Ends every process of the unit: politely, then for sure."""
        ...

    async def restart(self) -> None: ...


class EnginePort(Protocol):
    async def look(self) -> EngineLook:
        """One status probe; never raises for an ill engine, each field fails by itself."""
        ...

    async def generate(self, deadline: float) -> Generation:
        """A short generation for every public model name by its public path, at the engine's own port.

        Never raises: silence past `deadline` seconds is Outcome.UNANSWERED.
        """
        ...


class PortOwnerPort(Protocol):
    async def look(self) -> Occupant | None:
        """A foreign program at the engine's port; None where none is known. PortError: ask again."""
        ...


class ConnectorPort(Protocol):
    async def look(self) -> ConnectorLook: ...


class MembershipPort(Protocol):
    async def read(self) -> MembershipView: ...
    async def push(self, member: bool) -> None:
        """Write this host's own membership, and nothing else. A leaving write (False) has budget reserved."""
        ...


class HostPort(Protocol):
    async def look(self) -> HostLook: ...


class GpuPort(Protocol):
    async def look(self) -> Reading[GpuReport]:
        """The probe program's last report; NotAvailable where the host has no GPU."""
        ...

    def kernel(self) -> Reading[KernelLook]:
        """What it has read in the kernel's log and of the driver's files."""
        ...


class CheckPort(Protocol):
    """One of the user's own checks."""

    async def look(self) -> CheckResult:
        """PortError where it cannot tell. Never run beside itself."""
        ...


class ReceiverPort(Protocol):
    """Somebody who is told when the host falls ill."""

    name: str

    async def send(self, notice: Notice) -> str:
        """What the receiver said. PortError; `refused`: the same message would never be taken."""
        ...


class BookPort(Protocol):
    """Messages that wait, and the present episode, on disk."""

    problem: str  # "" or what the last load found wrong

    def load(self) -> Book: ...
    async def save(self, book: Book) -> None:
        """Durable when it returns; PortError."""
        ...


class StatePort(Protocol):
    """The saved state and the hold, two files."""

    def load(self) -> Saved | None:
        """None when there is none; a torn or unknown one falls back to the generation before."""
        ...

    def save(self, saved: Saved) -> None: ...
    def load_hold(self) -> Hold | None: ...
    def save_hold(self, hold: Hold | None) -> None:
        """None removes it. Returns only after the file is on disk (fsync)."""
        ...


class VerdictPort(Protocol):
    def write(self, ready: bool, phase: str) -> None:
        """Leave the verdict of this boot for the ready program; atomic. Called every tick: costs nothing, and
        mends what was lost, where the verdict stands already."""
        ...

    def read(self) -> bool | None:
        """What stands there, left by whichever agent of this boot; None for nothing that can be read."""
        ...


class EventPort(Protocol):
    """The event file. Nothing here waits for a disk or raises; the adapter's `problem` says what fails."""

    def append(self, events: Sequence[Event]) -> None: ...
    def unfinished(self) -> tuple[Event, ...]:
        """The last notes of the episodes that an earlier agent left open."""
        ...
