"""Messages by a program of the user's: JSON on its standard input; exit code 0 says that it took it."""

from collections.abc import Sequence

from inferagent.adapters.program import Program
from inferagent.model.notice import Notice
from inferagent.ports import PortError

DEADLINE = 15.0


class NotifyExec:
    """The ReceiverPort "exec". `deadline` in seconds; past it the program is killed with all it started."""

    name = "exec"

    def __init__(self, argv: Sequence[str], deadline: float = DEADLINE) -> None:
        self._argv = argv
        self._program = Program(argv, deadline)

    async def send(self, notice: Notice) -> str:
        try:
            ended = await self._program.run(notice.body(), _variables(notice))
        except PortError as problem:  # not final: somebody may put the program right
            raise PortError(f"cannot notify by exec: {problem}") from problem
        said = next(iter(ended.lines()), "")
        if ended.code != 0:
            raise PortError(f"cannot notify by {self._argv[0]}: {ended.how}{f': {said}' if said else ''}")
        return f"{self._argv[0]} took it"


def _variables(notice: Notice) -> dict[str, str]:
    return {
        "INFERAGENT_ID": notice.id,
        "INFERAGENT_KIND": notice.kind.value,
        "INFERAGENT_HOST": notice.host,
        "INFERAGENT_EPISODE": notice.episode,
        "INFERAGENT_CAUSE": notice.code,
    }
