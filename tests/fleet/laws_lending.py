"""The law of lending: nothing comes back onto a GPU that somebody else uses."""

from typing import TYPE_CHECKING, Any

from tests.fleet.law import Law, joins
from tests.fleet.users import SEEN
from tests.property.laws import Tick

from inferagent.model.unit import Part

if TYPE_CHECKING:
    from tests.fleet.fleet import Fleet
    from tests.fleet.host import Host, Touch


class Lent(Law):
    """An engine stopped for others is not started while one is there who was not at the last join."""

    name = "S13 lending"
    rare = True

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.away: set[str] = set()
        self.before: dict[str, set[str]] = {}

    def tick(self, host: "Host", tick: Tick) -> None:
        """Who changed a moment ago may have been seen or not: both count as having been there."""
        name = host.name
        if name not in self.before and host.users.unseen:
            return
        if name not in self.before or joins(tick):
            lately = self.fleet.now - host.users.changed_at < SEEN
            self.before[name] = {"Xorg", "blender"} if lately or host.users.unseen else host.users.names()

    def step(self) -> None:
        """Whoever else started it."""
        for host in self.fleet.hosts:
            if host.engine.alive and not host.held:
                self.away.discard(host.name)

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        if kind == "touch" and detail.part is Part.ENGINE:
            self._touched(host, detail)
        forgot = kind in ("crash", "agent down") and host.disk.full
        if kind in ("torn", "insisted") or forgot:
            self.away.discard(host.name)

    def _touched(self, host: "Host", touch: "Touch") -> None:
        if touch.verb == "stop":
            if host.lending:
                self.away.add(host.name)
            return
        if host.name not in self.away:
            return
        self.away.discard(host.name)
        self.met = True
        sees = not (host.gpu_blind or host.no_gpu or host.users.unseen)
        long_there = self.fleet.now - host.users.changed_at > SEEN
        strangers = host.users.names() - self.before.get(host.name, host.users.names())
        if strangers and sees and long_there and host.clock.now() > 2 * SEEN:
            self.breach(host, f"{touch.verb}s the engine while {', '.join(strangers)} uses its GPU")
