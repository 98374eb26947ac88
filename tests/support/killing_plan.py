"""At which points of a drain an agent is killed, and what is told of each."""

import random
from dataclasses import dataclass

MOST_AFTER_VERDICT = 0.003  # seconds: within it the verdict is told and the state not saved yet


@dataclass(frozen=True)
class Point:
    """`after` seconds from what `since` names: "begin", the change of the "verdict", the engine's "stop"."""

    since: str
    after: float


@dataclass(frozen=True)
class Round:
    """`at`: of the kill, in seconds after the drain began; `found`, `resumed`: the saved phase at the kill,
    and the next agent's first word; `away`: seconds until the agent that stayed answered; `took`: from there
    until all was as it should be; `again`: the next one was killed, too."""

    number: int
    point: Point
    at: float
    found: str
    resumed: str
    away: float
    took: float
    again: bool
    failed: int
    sent: int
    breaches: tuple[str, ...]

    def line(self) -> str:
        since, after = self.point.since, self.point.after * 1000
        named = "" if since == "begin" else f"({after:.0f} ms after the {since})"
        twice = "killed again, " if self.again else ""
        return (
            f"{self.number:3}  killed at {self.at * 1000:5.0f} ms {named:25}"
            f"found {self.found:8} → {self.resumed:8} after {self.away:.1f} s, {twice}"
            f"done {self.took:.1f} s later; {self.failed}/{self.sent} failed; "
            f"{'; '.join(self.breaches) or 'kept'}"
        )


def plan(chance: random.Random, rounds: int, whole: float, moments: dict[str, float]) -> list[Point]:
    """One random point in each of equal parts of the `whole` length, and some at each short moment in it (by
    what begins it, with its length); shuffled."""
    each = max(1, rounds // 12)
    points = [
        Point(since, chance.uniform(0.0, length)) for since, length in moments.items() for _ in range(each)
    ]
    parts = max(1, rounds - len(points))
    points += [Point("begin", whole * (part + chance.random()) / parts) for part in range(parts)]
    chance.shuffle(points)
    return points[:rounds]
