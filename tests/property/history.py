"""What has happened in a story so far: phases, labels, causes, deeds and arrows."""

from tests.property.laws import Tick

from inferagent.model.action import Restart, Start
from inferagent.model.decision import Decision
from inferagent.model.phase import Label, Phase
from inferagent.model.saved import Saved
from inferagent.model.unit import Part


class History:
    """Questions to a world that keeps its `ticks`."""

    ticks: list[Tick]
    saved: Saved
    decision: Decision | None

    @property
    def phase(self) -> Phase:
        return self.saved.phase

    @property
    def label(self) -> Label | None:
        return self.decision.label if self.decision else None

    def codes(self) -> set[str]:
        return {cause.code for cause in self.decision.causes} if self.decision else set()

    def findings(self) -> set[str]:
        return {finding.code for finding in self.decision.findings} if self.decision else set()

    def actions(self, kind: type, part: Part | None = None, since: float = 0.0) -> list[float]:
        """When such actions were taken."""
        return [
            tick.now
            for tick in self.ticks
            for action in tick.decision.actions
            if isinstance(action, kind) and (part is None or getattr(action, "part", None) is part)
            if tick.now >= since
        ]

    def restarts(self) -> int:
        return len(self.actions(Restart, Part.ENGINE)) + len(self.actions(Start, Part.ENGINE))

    def arrows(self) -> list[tuple[Phase, Phase]]:
        pairs = [(tick.before.phase, tick.decision.phase) for tick in self.ticks]
        return [pair for pair in pairs if pair[0] is not pair[1]]
