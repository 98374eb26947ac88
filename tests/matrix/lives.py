"""The lives of an engine: no process of an earlier one may be there when the next begins."""

from dataclasses import dataclass, field

from inferagent.lab.processes import Process, alive, below, session_of


@dataclass
class Families:
    """Every process that belonged to a life: of its session, or below its main process."""

    main: int = 0
    members: dict[int, str] = field(default_factory=dict)
    """pid → name, of the life that is or was last"""

    def seen(self, main: int) -> list[str]:
        """Who outlived an earlier life, when `main` is a new one; `main` 0: none runs."""
        left: list[str] = []
        if main and main != self.main:
            left = [f"{name} ({pid}) outlived its engine" for pid, name in self._living(main)]
            self.main, self.members = main, {}
        if main:
            self.members |= {one.pid: one.name for one in _family(main)}
        return left

    def _living(self, successor: int) -> list[tuple[int, str]]:
        new = {one.pid for one in _family(successor)}
        there = {one.pid: one.name for one in alive() if one.state not in "ZX"}
        return [
            (pid, name) for pid, name in self.members.items() if there.get(pid) == name and pid not in new
        ]


def _family(main: int) -> list[Process]:
    return [*session_of(main), *below(main)]
