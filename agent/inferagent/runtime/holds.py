"""The operator's hold over time: taken up at the start, kept true to the clocks, ended in its time."""

from dataclasses import dataclass, replace

import structlog

from inferagent.model.desired import Hold
from inferagent.policy.until import kept, left
from inferagent.ports import Clock, PortError, StatePort

log = structlog.get_logger()

AGAIN = 60.0  # seconds between two tries to write what a disk does not take


@dataclass
class Holds:
    """All that reads and writes the hold's file goes through here."""

    state: StatePort
    clock: Clock
    _failed_at: float = float("-inf")
    _left_over: bool = False  # a hold whose time is over is still on disk

    def load(self) -> Hold | None:
        return self.keep(self.state.load_hold())

    def write(self, hold: Hold | None) -> None:
        """Returns once it is on disk; PortError."""
        if hold is not None:
            self._left_over = False  # wherever it ends up, it is what must not be taken away
        self.state.save_hold(hold)
        self._left_over = False

    def keep(self, hold: Hold | None) -> Hold | None:
        """The hold as it is at this moment; None once its time is over."""
        if hold is None or hold.until is None:
            if self._left_over:
                self._try(None)
            return hold
        now, boot, wall = self.clock.now(), self.clock.boot(), self.clock.wall()
        if left(hold.until, now, boot, wall) <= 0:
            log.info("the hold is over: its time has passed", until=hold.until.wall)
            self._left_over = True
            self._try(None)
            return None
        until = kept(hold.until, now, boot, wall)
        if until is hold.until:
            return hold
        hold = replace(hold, until=until)
        if hold.durable:
            self._try(hold)
        return hold

    def _try(self, hold: Hold | None) -> None:
        """What cannot be written is over, or rightly timed, in this boot all the same."""
        now = self.clock.now()
        if now - self._failed_at < AGAIN:
            return
        try:
            self.state.save_hold(hold)
        except PortError as problem:
            self._failed_at = now
            log.warning("the hold's end is not written", error=str(problem))
            return
        self._left_over = False
