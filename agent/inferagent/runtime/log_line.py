"""What the log says of a Status: one line a change, at the level that it deserves."""

from dataclasses import dataclass

from inferagent.model.health import Health
from inferagent.model.phase import Label, Phase
from inferagent.model.status import Status
from inferagent.model.steady import steady


@dataclass(frozen=True, slots=True)
class LogLine:
    """`level` is "info", "warning" or "error"; `cause` and `findings` are codes."""

    level: str
    text: str
    phase: str
    label: str
    cause: str
    findings: tuple[str, ...]
    hold: str = ""

    def same(self, other: "LogLine | None") -> bool:
        """Whether the other one says the same: ages and counts that move by themselves are no news."""
        return other is not None and _key(self) == _key(other)

    def keys(self) -> dict[str, object]:
        return {
            "phase": self.phase,
            "label": self.label,
            "cause": self.cause,
            "findings": list(self.findings),
        }


def _key(line: LogLine) -> tuple[object, ...]:
    return line.level, steady(line.text), line.phase, line.label, line.cause, set(line.findings), line.hold


def log_line(document: Status) -> LogLine:
    return LogLine(
        level=_level(document),
        text=document.sentence,
        phase=document.phase,
        label=document.label,
        cause=document.root_code,
        findings=tuple(finding.code for finding in document.findings),
        hold=document.hold,
    )


def _level(document: Status) -> str:
    """A person is needed: error. Ill, or not as intended for a reason: warning. On its way: info."""
    out = document.phase == Phase.OUT
    faulty = document.root_component == "gpu" and document.exit_code
    if out and (document.label == Label.NEEDS_OPERATOR or faulty):
        return "error"
    ill = any(finding.health == Health.UNHEALTHY for finding in document.findings)
    degraded = document.phase == Phase.SERVING and document.exit_code
    return "warning" if (ill and document.exit_code) or degraded else "info"
