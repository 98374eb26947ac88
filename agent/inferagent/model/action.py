"""The closed union of what the agent may do to the world; one interpreter carries it out."""

from dataclasses import dataclass
from typing import TypeAlias

from inferagent.model.health import Cause
from inferagent.model.phase import Phase
from inferagent.model.unit import Part


@dataclass(frozen=True, slots=True)
class Push:
    """Write this host's own membership: in (True) or out (False)."""

    member: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    part: Part
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    part: Part
    why: str = ""


@dataclass(frozen=True, slots=True)
class Restart:
    part: Part
    why: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A change of phase: proposed to the rules like an action, carried out by the decision itself."""

    to: Phase
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """To stay out for a soft cause: proposed at each tick, since such an absence is a loan."""


Action: TypeAlias = Push | Start | Stop | Restart
Proposal: TypeAlias = Action | Move | Stay


def slot(action: Action) -> str:
    """The job that carries the action out: "push", "engine" or "connector"; one of each runs at a time."""
    return "push" if isinstance(action, Push) else action.part.value


def describe(proposal: Proposal) -> str:
    """The proposal in a few words."""
    match proposal:
        case Move(to=to):
            return f"go to {to}"
        case Push(member=member):
            return "enable in the pool" if member else "disable in the pool"
        case Stay():
            return "stay out"
        case _:
            return f"{type(proposal).__name__.lower()} {proposal.part}"
