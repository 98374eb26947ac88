"""The operator's word on sticky GPU faults, and the list of those that stand."""

from typing import Protocol

from inferagent.model.fault_sheet import FaultSheet
from inferagent.model.observed import Observed
from inferagent.model.reading import known
from inferagent.model.saved import Saved
from inferagent.policy.faults import clear_faults, sheet, still_said
from inferagent.ports import Clock
from inferagent.runtime.desk import Answer

LIST = "inferagent fault list"


class Agent(Protocol):
    """What of the loop this may touch: the saved state."""

    clock: Clock

    @property
    def seen(self) -> Observed | None: ...
    @property
    def saved(self) -> Saved: ...
    def keep(self, saved: Saved) -> bool: ...
    def wake(self) -> None: ...


def fault_sheet(agent: Agent) -> FaultSheet:
    return sheet(agent.saved, _seen(agent))


def clear_fault(agent: Agent, gpu: str) -> Answer:
    """`gpu` "" clears them all. What is still true comes back with the next look, and says so."""
    seen = _seen(agent)
    saved, gone = clear_faults(agent.saved, gpu, seen.now, known(seen.kernel))
    if not gone and gpu:
        return Answer(False, f"cannot clear {gpu}: no fault of such a GPU stands", LIST)
    if not gone:
        return Answer(True, "no fault stands")
    durable = agent.keep(saved)
    agent.wake()
    message = "cleared: " + "; ".join(fault.text for fault in gone)
    still = still_said(gone, seen)
    if still:
        message += f"; {still}"
    if not durable:
        return Answer(True, f"{message}; the state cannot be saved: with the agent it may come back", "df -h")
    return Answer(True, message, LIST if still else "")


def _seen(agent: Agent) -> Observed:
    """With the time of this moment; before the first tick, of nothing seen yet."""
    now = agent.clock.now()
    seen = agent.seen
    if seen is None:
        return Observed(now, agent.clock.boot())
    return Observed(now, seen.boot, gpus=seen.gpus, kernel=seen.kernel)
