"""The desk of a host that nobody has configured: it says so, and what to do."""

from dataclasses import replace

from inferagent.model.desired import Desired, Mode
from inferagent.model.observed import Observed
from inferagent.model.reading import NEVER
from inferagent.model.saved import Saved
from inferagent.model.status import Status
from inferagent.policy.decide import decide
from inferagent.runtime.desk import Answer, DrainRequest
from inferagent.runtime.report import Scene, status

CURE = "sudo inferagent setup"


class Unconfigured:
    """Answers the control socket while there is no configuration."""

    def status(self) -> Status:
        observed, desired = Observed(0.0, ""), Desired(configured=False, mode=Mode.OBSERVE)
        decision = decide(observed, desired, Saved())
        document = status(Scene("", observed, desired, decision, NEVER, "", ""))
        return replace(document, cure=CURE, findings=())  # nothing is missing that anybody asked for

    def drain(self, _request: DrainRequest) -> Answer:
        return Answer(False, "cannot drain: this host is not configured", CURE)

    def resume(self) -> Answer:
        return Answer(False, "cannot resume: this host is not configured", CURE)
