"""The four stored phases, their six arrows, and the labels of being out."""

from enum import StrEnum


class Phase(StrEnum):
    OUT = "out"
    JOINING = "joining"
    SERVING = "serving"
    DRAINING = "draining"


class Label(StrEnum):
    """What a host does while out: computed anew each tick, the first that fits, never stored."""

    UNCONFIGURED = "unconfigured"
    INSTALLING = "installing"
    HELD = "held"
    WAITING = "waiting"
    RECONNECTING = "reconnecting"
    RECOVERING = "recovering"
    NEEDS_OPERATOR = "needs-operator"
    WARMING = "warming"
    PARKED = "parked"
    READY = "ready"


ARROWS: dict[tuple[Phase, Phase], str] = {
    (Phase.OUT, Phase.JOINING): "wanted, allowed and proven by a generation",
    (Phase.JOINING, Phase.SERVING): "the membership is effective",
    (Phase.JOINING, Phase.DRAINING): "ill, held, parked or going",
    (Phase.SERVING, Phase.DRAINING): "ill, held, parked or going",
    (Phase.DRAINING, Phase.OUT): "out is proven and quiet, or the deadline",
    (Phase.DRAINING, Phase.JOINING): "the cause is over, and a generation proves it",
}


def diagram() -> str:
    """The arrows as text, one a line; the documents carry what this prints."""
    width = max(len(phase) for phase in Phase)
    reasons = [f"{start:>{width}} → {end:<{width}}  {why}" for (start, end), why in ARROWS.items()]
    return "\n".join(line.rstrip() for line in reasons)


def check_arrow(start: Phase, end: Phase) -> None:
    """Raise ValueError for an arrow that is not listed."""
    if (start, end) not in ARROWS:
        raise ValueError(f"cannot go from {start} to {end}: no such arrow")
