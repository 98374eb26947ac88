"""The desk of a host that nobody has configured: it says so, and what to do."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from inferagent.model.desired import Desired, Mode
from inferagent.model.fault_sheet import FaultSheet
from inferagent.model.observed import Observed
from inferagent.model.reading import NEVER
from inferagent.model.saved import Saved
from inferagent.model.status import Status
from inferagent.policy.decide import decide
from inferagent.ports import PortError
from inferagent.runtime.desk import Answer, DrainRequest, LendRequest
from inferagent.runtime.report import Scene, status

CURE = "sudo inferagent setup"
TELLS_EVERY = 5.0  # seconds, as an idle loop ticks


class Unconfigured:
    """Answers the control socket while there is no configuration."""

    def status(self) -> Status:
        observed, desired = Observed(0.0, ""), Desired(configured=False, mode=Mode.OBSERVE)
        decision = decide(observed, desired, Saved())
        document = status(Scene("", observed, desired, decision, NEVER, ""))
        return replace(document, cure=CURE, findings=())  # nothing is missing that anybody asked for

    async def keep_telling(self, tell: Callable[[Status], None], pace: float = TELLS_EVERY) -> None:
        """Until cancelled: nothing ticks here, and yet systemd wants to hear that somebody is there."""
        while True:
            tell(self.status())
            await asyncio.sleep(pace)

    def drain(self, _request: DrainRequest) -> Answer:
        return Answer(False, "cannot drain: this host is not configured", CURE)

    def lend(self, _request: LendRequest) -> Answer:
        return Answer(False, "cannot lend: this host is not configured", CURE)

    def resume(self) -> Answer:
        return Answer(False, "cannot resume: this host is not configured", CURE)

    def metrics(self) -> str:
        raise PortError("cannot tell metrics: this host is not configured")

    def faults(self) -> FaultSheet:
        raise PortError(f"cannot tell the faults: this host is not configured → {CURE}")

    def going(self, _seconds: float) -> Answer:
        return Answer(False, "cannot leave: this host is not configured", CURE)

    def clear_fault(self, _gpu: str) -> Answer:
        return Answer(False, "cannot clear a fault: this host is not configured", CURE)

    async def reload(self) -> Answer:
        return Answer(False, "cannot reload: this host is not configured", CURE)

    async def notify_test(self) -> Answer:
        return Answer(False, "cannot send a message: this host is not configured", CURE)
