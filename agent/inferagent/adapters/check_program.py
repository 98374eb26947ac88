"""One of the user's own checks: a program whose exit code says how it is, and whose first line says why."""

from collections.abc import Sequence
from pathlib import Path

from inferagent.adapters.program import Program
from inferagent.model.check import CheckResult
from inferagent.model.health import Health
from inferagent.ports import PortError

CODES = {0: Health.HEALTHY, 1: Health.DEGRADED, 2: Health.UNHEALTHY}
UNKNOWN = 3
CURE = "cure:"


class CheckProgram:
    """The CheckPort of one check; `host` is the name of this host, for its environment; `folder` the
    runtime one."""

    def __init__(self, name: str, argv: Sequence[str], deadline: float, host: str, folder: Path) -> None:
        self._name = name
        given = {"INFERAGENT_CHECK": name, "INFERAGENT_HOST": host}
        self._program = Program(argv, deadline, given, folder / "checks" / name)

    async def look(self) -> CheckResult:
        """PortError where it cannot tell: unknown by its own word, another code, a signal, its deadline."""
        try:
            ended = await self._program.run()
        except PortError as problem:
            raise PortError(f"cannot read the check {self._name}: {problem}") from problem
        lines = ended.lines()
        cure = next((line[len(CURE) :].strip() for line in lines if line.lower().startswith(CURE)), "")
        said = next((line for line in lines if not line.lower().startswith(CURE)), "")
        if ended.code in CODES:
            return CheckResult(CODES[ended.code], said, cure)
        how = "it says unknown" if ended.code == UNKNOWN else f"{ended.how}, which says nothing"
        raise PortError(f"cannot read the check {self._name}: {how}{f': {said}' if said else ''}")
