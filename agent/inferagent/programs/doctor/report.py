"""The report of one run: JSON with a version, counts and an exit code."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inferagent import __version__
from inferagent.programs.doctor.running import Result
from inferagent.programs.doctor.verdict import Verdict

SCHEMA = 1
FINE, FAILED, CANNOT_TELL = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Report:
    """`host` is its name; `at` wall time, ISO 8601 with zone; `seconds` for everything."""

    host: str
    at: str
    seconds: float
    results: tuple[Result, ...]

    @property
    def exit_code(self) -> int:
        return exit_code(self.results)

    def count(self, verdict: Verdict) -> int:
        return sum(result.verdict is verdict for result in self.results)

    def document(self) -> dict[str, Any]:
        """For --json: keys are added in later versions, never given another meaning."""
        counts = Counter(str(result.verdict) for result in self.results)
        return {
            "schema": SCHEMA,
            "host": self.host,
            "agent_version": __version__,
            "at": self.at,
            "seconds": round(self.seconds, 2),
            "exit_code": self.exit_code,
            "counts": {str(verdict): counts.get(str(verdict), 0) for verdict in Verdict},
            "checks": [_plain(result) for result in self.results],
        }


def exit_code(results: Sequence[Result]) -> int:
    """0: nothing failed, 1: something did, 3: something could not be told and nothing failed."""
    verdicts = {result.verdict for result in results}
    if Verdict.FAIL in verdicts:
        return FAILED
    return CANNOT_TELL if Verdict.UNKNOWN in verdicts else FINE


def _plain(result: Result) -> dict[str, Any]:
    return {
        "name": result.check.name,
        "hop": str(result.hop),
        "title": result.check.title,
        "verdict": str(result.verdict),
        "evidence": result.outcome.evidence,
        "cure": result.outcome.cure,
        "hidden_by": result.hidden_by,
        "seconds": round(result.seconds, 3),
    }
