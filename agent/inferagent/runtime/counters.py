"""What the agent has done since it started, counted from its decisions."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from inferagent.model.action import Push, Restart, Start
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired
from inferagent.model.engine import Outcome
from inferagent.model.health import CauseKind
from inferagent.model.observed import Observed
from inferagent.model.phase import Phase
from inferagent.model.reading import known
from inferagent.model.unit import Part
from inferagent.runtime.exposition import Family, counter

JOBS = ("push", "engine", "connector")


@dataclass
class Counters:
    """Every count begins at 0, so that a rate shows the first one too."""

    ticks: int = 0
    joins: int = 0
    drains: Counter[str] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    generations: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    _phase: Phase | None = None
    _answered: float = float("-inf")
    _ended: dict[str, float] = field(default_factory=dict)

    def tick(self, observed: Observed, _desired: Desired, decision: Decision) -> None:
        self.ticks += 1
        self._move(decision)
        self._act(decision)
        self._jobs(observed)
        last = known(observed.generation)
        if last is not None and last.ended > self._answered:
            self._answered = last.ended
            self.generations[last.outcome.value] += 1

    def _move(self, decision: Decision) -> None:
        before, self._phase = self._phase, decision.phase
        if before is None or before is decision.phase:
            return
        cause = decision.saved.cause
        if decision.phase is Phase.JOINING:
            self.joins += 1
        elif decision.phase is Phase.DRAINING and cause is not None:
            self.drains[cause.kind.name.lower()] += 1

    def _act(self, decision: Decision) -> None:
        for action in decision.actions:
            match action:
                case Push(member=member):
                    self.writes["in" if member else "out"] += 1
                case Start(part=part) | Restart(part=part):
                    self.starts[part.value] += 1

    def _jobs(self, observed: Observed) -> None:
        for name, job in observed.jobs:
            if job.ended is not None and job.ended > self._ended.get(name, float("-inf")):
                self._ended[name] = job.ended
                self.failures[name] += bool(job.error)

    def families(self) -> Iterator[Family]:
        drains = {kind.name.lower(): self.drains[kind.name.lower()] for kind in CauseKind}
        starts = {part.value: self.starts[part.value] for part in Part}
        outcomes = {outcome.value: self.generations[outcome.value] for outcome in Outcome}
        yield counter("ticks_total", "Decisions that came to their end.", "", {"": self.ticks})
        yield counter("joins_total", "Joins begun.", "", {"": self.joins})
        yield counter("drains_total", "Drains begun, by the kind of their cause.", "kind", drains)
        yield counter("restarts_total", "Starts and restarts that the agent has begun.", "part", starts)
        writes = {way: self.writes[way] for way in ("in", "out")}
        yield counter(
            "pool_writes_total", "Writes to this host's own membership, by their goal.", "to", writes
        )
        yield counter(
            "generations_total", "Generations that the agent asked for, by outcome.", "outcome", outcomes
        )
        failures = {name: self.failures[name] for name in JOBS}
        yield counter("job_failures_total", "Deeds of the agent that failed.", "job", failures)
