"""What one tick concluded."""

from dataclasses import dataclass

from inferagent.model.action import Action
from inferagent.model.health import Cause, Finding
from inferagent.model.phase import Label, Phase
from inferagent.model.saved import Saved


@dataclass(frozen=True, slots=True)
class Veto:
    """A proposal that a safety rule stopped. `rule` is "S1" … "S16" or "observe"."""

    rule: str
    proposal: str
    why: str


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds until the next tick at the latest, and between two looks; `generation`, `port` None: none."""

    tick: float = 5.0
    look: float = 2.0
    membership: float = 15.0
    generation: float | None = None
    port: float | None = None  # who owns the engine's


@dataclass(frozen=True, slots=True)
class InFlight:
    """Requests in flight by way in; None where it cannot be read."""

    tunnel: int | None
    lan: int | None

    @property
    def total(self) -> int | None:
        """The sum of what is known, None when nothing is."""
        parts = [n for n in (self.tunnel, self.lan) if n is not None]
        return sum(parts) if parts else None


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one tick; `verdict` is what the ready URL answers; `sentence` says it to a person."""

    phase: Phase
    label: Label | None
    verdict: bool
    saved: Saved
    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...]
    actions: tuple[Action, ...]
    vetoes: tuple[Veto, ...]
    pace: Pace
    sentence: str
    in_flight: InFlight
