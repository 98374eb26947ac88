"""The one interpreter of actions: each becomes a job with a deadline."""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import assert_never

import structlog

from inferagent.model.action import Action, Push, Restart, Start, Stop, describe, slot
from inferagent.model.unit import Part
from inferagent.ports import MembershipPort, UnitPort
from inferagent.runtime.jobs import Jobs

log = structlog.get_logger()

PUSH_DEADLINE = 8.0
UNIT_DEADLINE = 300.0


@dataclass
class Hands:
    """What the agent acts with. `pushed` is called after a write, so that the pool is read again at once."""

    units: dict[Part, UnitPort]
    membership: MembershipPort
    jobs: Jobs
    pushed: Callable[[], None]

    def act(self, actions: Iterable[Action]) -> None:
        """Start a job for each action."""
        for action in actions:
            log.info("acting", action=describe(action), why=action.why)
            self.jobs.start(slot(action), self._deed(action), _deadline(action))

    def _deed(self, action: Action) -> Callable[[], Coroutine[None, None, None]]:
        match action:
            case Push(member=member):
                return lambda: self._push(member)
            case Start(part=part):
                return lambda: self.units[part].start()
            case Stop(part=part):
                return lambda: self.units[part].stop()
            case Restart(part=part):
                return lambda: self.units[part].restart()
            case _:
                assert_never(action)

    async def _push(self, member: bool) -> None:
        try:
            await self.membership.push(member)
        finally:
            self.pushed()


def _deadline(action: Action) -> float:
    return PUSH_DEADLINE if isinstance(action, Push) else UNIT_DEADLINE
