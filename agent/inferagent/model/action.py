"""The closed union of what the agent may do to the world; one interpreter carries it out."""

from dataclasses import dataclass
from typing import TypeAlias

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


Action: TypeAlias = Push | Start | Stop | Restart


def slot(action: Action) -> str:
    """The job that carries the action out: "push", "engine" or "connector"; one of each runs at a time."""
    return "push" if isinstance(action, Push) else action.part.value
