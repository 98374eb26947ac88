"""From systemd's properties, in the order in which they changed, to the state of a unit.

Remembered between two looks, because no property tells it: which restarts are counted, and who stopped it.
Between a death and its restart systemd shows states that are not final: 252 calls them `failed` or
`inactive`, later versions give them names. One that may be such is doubted for a moment.
"""

from collections.abc import Callable
from dataclasses import replace

from inferagent.adapters.units.systemd_ending import describe, gave_up
from inferagent.adapters.units.systemd_properties import Properties
from inferagent.adapters.units.systemd_record import By, Record
from inferagent.model.unit import Unit, UnitState

SETTLES = 0.25  # seconds; systemd's own take less than one thousandth of one
KEPT_RESTARTS = 64
MISSING = ("not-found", "bad-setting", "error")
SETTLED = (UnitState.STOPPED, UnitState.FAILED, UnitState.MISSING, UnitState.MASKED)


class Judge:
    """`offset`: what to add to seconds of the monotonic clock to have seconds of the boot clock."""

    def __init__(self, record: Record, offset: Callable[[], float]) -> None:
        self.record = record
        self.settles_at: float | None = None  # look again then, even if nothing changes
        self.deed = False  # one of ours is under way: what is stopped meanwhile, no person stopped
        self._offset = offset
        self._state: UnitState | None = None
        self._since = 0.0
        self._stop_seen = False
        self._waited = False  # the last that was seen of it was that it waits for its restart

    def asked_to_stop(self) -> None:
        """We are about to stop it; who had done so before us is not forgotten."""
        if self.record.stopped is By.NOBODY:
            self.record = replace(self.record, stopped=By.US)

    def not_stopped(self) -> None:
        """The stop that we asked for failed."""
        if self.record.stopped is By.US and self._state not in SETTLED:
            self.record = replace(self.record, stopped=By.NOBODY)

    def end_deed(self) -> None:
        self.deed = self._stop_seen = False

    def see(self, properties: Properties, now: float) -> Unit:
        """The unit as it is at `now`, a boot-clock second. While `settles_at` is set, that may change."""
        self._note_life(properties, now)
        state = self._judge(properties, now)
        if state is not self._state:
            self._state = state
            self._since = now
        self._waited = properties.sub.startswith("auto-restart") or (
            self._waited and properties.rests and bool(properties.job)
        )
        alive = bool(properties.main)
        return Unit(
            state=state,
            incarnation=f"{properties.invocation}:{properties.main}" if alive else "",
            main_pid=properties.main,
            since=self.record.since if alive else self._since,
            own_restarts=self.record.own_restarts,
            stopped_by_person=state in SETTLED and self.record.stopped is By.PERSON,
            exit=self._exit(properties, state),
        )

    def _exit(self, properties: Properties, state: UnitState) -> str:
        if state is UnitState.MISSING:
            lacks = f"there is no unit {self.record.unit}"
            return lacks if properties.load == "not-found" else f"systemd says: {properties.load_error}"
        if properties.active == "active" and not properties.main:
            return "systemd knows no main process of it"
        return self.record.exit

    # what is remembered

    def _note_life(self, properties: Properties, now: float) -> None:
        record = self.record
        if properties.restarts < record.counted:  # begun anew: by a person's start, or `reset-failed`
            record = replace(record, counted=0)
        if properties.invocation and properties.invocation != record.invocation:
            record = self._next_life(record, properties, now)
            self._stop_seen = False
        if properties.main and record.main != properties.main:
            record = replace(record, main=properties.main, since=self._started(properties, now))
        if not properties.main and self._state not in SETTLED and (how := describe(properties)):
            record = replace(record, exit=how)
        self.record = record

    def _next_life(self, record: Record, properties: Properties, now: float) -> Record:
        """Restarts that nobody watched are all dated by the last: so the budget errs towards too few."""
        unanswered = properties.rests and properties.active == "failed" and properties.comes_again
        grown = max(0, properties.restarts - record.counted - unanswered)
        if not record.seen:
            grown = min(grown, 1)  # the others may be of any day of this boot
        at = self._started(properties, now)
        own = (*record.own_restarts, *([at] * grown))[-KEPT_RESTARTS:]
        return replace(
            record,
            seen=True,
            invocation=properties.invocation,
            main=0,
            own_restarts=own,
            counted=properties.restarts,
            stopped=By.NOBODY,
        )

    def _started(self, properties: Properties, now: float) -> float:
        return min(now, properties.started / 1e6 + self._offset()) if properties.started else now

    # what it is

    def _judge(self, properties: Properties, now: float) -> UnitState:
        if properties.rests:
            return self._resting(properties, now)
        self.settles_at = None
        if properties.main:
            return self._living(properties)
        if properties.active == "activating":
            waits = properties.sub.startswith("auto-restart")
            return UnitState.RESTARTING if waits else UnitState.STARTING
        if properties.active == "deactivating":
            again = properties.comes_again and not self._stop_seen
            return UnitState.RESTARTING if again else UnitState.STOPPING
        return UnitState.RUNNING if properties.sub == "running" else UnitState.STOPPED

    def _living(self, properties: Properties) -> UnitState:
        if properties.active == "deactivating":
            # by a job: a watchdog has none, and a start that takes too long says so in its result
            self._stop_seen |= bool(properties.job) and properties.result == "success"
            return UnitState.STOPPING
        running = properties.active in ("active", "reloading", "refreshing")
        return UnitState.RUNNING if running else UnitState.STARTING

    def _resting(self, properties: Properties, now: float) -> UnitState:
        if properties.load in MISSING:
            return UnitState.MISSING
        if properties.load == "masked":
            return UnitState.MASKED
        if properties.sub.endswith("-before-auto-restart"):
            return UnitState.RESTARTING
        if properties.job:
            if self._stop_seen:
                return UnitState.STOPPING
            ended = self._state is UnitState.STOPPING and properties.comes_again  # its own job is still told
            restarts = ended or self._state is UnitState.RESTARTING
            return UnitState.RESTARTING if restarts else UnitState.STARTING
        return self._at_rest(properties, now)

    def _at_rest(self, properties: Properties, now: float) -> UnitState:
        """Nothing is queued: it is stopped or failed for good, unless systemd is between two of its steps."""
        if self._state in SETTLED or self.record.stopped:
            return self._settle(_final(properties) if not self.record.stopped else UnitState.STOPPED)
        tried = properties.restarts > self.record.counted
        stopped = self._stop_seen or (self._waited and not tried)
        if stopped and not self.deed:
            return self._stopped_by_person()
        if not properties.invocation:
            return self._forgotten(properties)
        if self._doubts(properties, now):
            return UnitState.RESTARTING
        if properties.was_stopped and not self.deed:
            return self._stopped_by_person()
        limit = properties.result == "start-limit-hit" or properties.comes_again
        if properties.active == "failed" and properties.restarts and limit:
            self.record = replace(self.record, exit=gave_up(properties, describe(properties)))
        return self._settle(_final(properties))

    def _forgotten(self, properties: Properties) -> UnitState:
        """Never started in this boot, or forgotten by systemd, as it does with stopped units only."""
        if self.record.invocation and properties.policy == "always":
            return self._stopped_by_person()
        return self._settle(UnitState.STOPPED)

    def _doubts(self, properties: Properties, now: float) -> bool:
        if not properties.comes_again:
            return False
        if self.settles_at is None:
            self.settles_at = now + SETTLES
        return now < self.settles_at

    def _stopped_by_person(self) -> UnitState:
        self.record = replace(self.record, stopped=By.PERSON)
        return self._settle(UnitState.STOPPED)

    def _settle(self, state: UnitState) -> UnitState:
        self.settles_at = None
        return state


def _final(properties: Properties) -> UnitState:
    return UnitState.FAILED if properties.active == "failed" else UnitState.STOPPED
