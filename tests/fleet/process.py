"""A supervised process of a host: it outlives the agent, and its supervisor starts it again after 3 s."""

import asyncio
from collections.abc import Callable

from inferagent.model.unit import Unit, UnitState

RESTART_SEC = 3.0


class Process:
    """`now` is the host's boot clock. Each listener gets the unit as it is after every change."""

    def __init__(self, prefix: str, now: Callable[[], float]) -> None:
        self._prefix, self._now = prefix, now
        self.alive, self.lives, self.born = False, 0, 0.0
        self.own_restarts: list[float] = []
        self.exit = ""
        self.supervised, self.by_person, self.missing = True, False, False
        self.listeners: list[Callable[[Unit], None]] = []
        self._coming: asyncio.TimerHandle | None = None

    @property
    def age(self) -> float:
        return self._now() - self.born

    def spawn(self) -> None:
        self._cancel()
        self.alive, self.by_person, self.born = True, False, self._now()
        self.lives += 1
        self.renewed()
        self.tell()

    def kill(self, how: str = "killed by signal 9") -> None:
        """Die. A supervisor brings it back unless it is told not to."""
        if not self.alive:
            return
        self._end(how)
        if self.supervised:
            self._coming = asyncio.get_running_loop().call_later(RESTART_SEC, self._respawn)
        self.tell()

    def flash(self) -> None:
        """Die and be back before anybody could look: faster than a tick."""
        self._end("killed by signal 11")
        self.own_restarts.append(self._now())
        self.spawn()

    def stop(self, *, person: bool = False) -> None:
        self._cancel()
        self._end("exit code 0" if self.alive else self.exit)
        self.by_person = person
        self.tell()

    def power_off(self) -> None:
        self._cancel()
        self._end("")
        self.by_person, self.own_restarts, self.listeners = False, [], []

    def _end(self, how: str) -> None:
        self.alive, self.exit = False, how
        self.ended()

    def _respawn(self) -> None:
        self.own_restarts = [at for at in self.own_restarts if self._now() - at < 3600.0]
        self.own_restarts.append(self._now())
        self.spawn()

    def _cancel(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
            self._coming = None

    def renewed(self) -> None:
        """A new life has begun."""

    def ended(self) -> None:
        """A life has ended."""

    def tell(self) -> None:
        unit = self.unit()
        for listener in self.listeners:
            listener(unit)

    @property
    def incarnation(self) -> str:
        return f"{self._prefix}{self.lives}" if self.alive else ""

    def unit(self) -> Unit:
        state = UnitState.RUNNING if self.alive else UnitState.STOPPED
        if not self.alive and self._coming is not None:
            state = UnitState.RESTARTING
        if self.missing:
            state = UnitState.MISSING
        pid = 100 + self.lives if self.alive else 0
        restarts = tuple(self.own_restarts)
        return Unit(state, self.incarnation, pid, self.born, restarts, self.by_person, self.exit)
