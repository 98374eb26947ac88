"""The user's own checks of this host: a program and a probe each, taken up anew with the configuration."""

from pathlib import Path

from inferagent.adapters.check_program import CheckProgram
from inferagent.config.settings import Check, Settings
from inferagent.model.check import CheckResult
from inferagent.ports import Clock
from inferagent.runtime.board import Board
from inferagent.runtime.crew import Crew
from inferagent.runtime.probes import Probe

SPARE = 5.0  # seconds beyond its deadline, for killing what does not end


class Checks:
    """`run` is a task of the agent; `apply` takes up other settings. `folder`: the runtime one."""

    def __init__(self, clock: Clock, board: Board, settings: Settings, folder: Path) -> None:
        self._clock, self._board, self._folder = clock, board, folder
        self._crew = Crew()
        self.run = self._crew.run
        self.apply(settings)

    def apply(self, settings: Settings) -> None:
        here = {check.called for check in settings.check}
        for name in self._board.checks.keys() - here:
            del self._board.checks[name]
        self._crew.use([self._probe(check, settings.host.name) for check in settings.check])

    def _probe(self, check: Check, host: str) -> Probe[CheckResult]:
        program = CheckProgram(check.called, check.exec, check.deadline, host, self._folder)
        age = 2 * check.every + check.deadline + SPARE
        write = self._board.put_check(check.called, age)
        name = f"the check {check.called}"
        return Probe(name, self._clock, program.look, write, check.deadline + SPARE, check.every)
