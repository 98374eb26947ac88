"""One fault of the soak, and the chapter that it makes: what may follow from it, and when what followed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tests.real.soak.scene import Scene

Strike = Callable[["Scene"], Awaitable[None]]
Leaves = Literal["must", "may", "never"]


@dataclass(frozen=True, slots=True)
class Fault:
    """`strike` does it, and undoes by hand what does not end by itself.

    leaves: whether the agent must, may or must never write that the host leaves · causes: codes that such a
    write may name as root cause · loses: whether requests that are there, or come before the edge lets the
    host go, may fail · settles: as many seconds after the blow, where the edge never lets it go · new_life:
    the engine must begin a new one · ends_agent: only in the first half of a soak · everybody: it strikes
    every host.
    """

    name: str
    strike: Strike
    leaves: Leaves
    causes: frozenset[str] = frozenset()
    loses: bool = False
    settles: float = 3.0
    new_life: bool = False
    ends_agent: bool = False
    everybody: bool = False


@dataclass
class Chapter:
    """One fault that was struck. Moments in seconds of time.monotonic; `out`: the edge let the host go."""

    fault: Fault
    begun: float
    struck: float | None = None
    out: float | None = None
    ended: float | None = None
    problems: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)

    def holds(self, at: float) -> bool:
        return self.begun <= at and (self.ended is None or at <= self.ended)
