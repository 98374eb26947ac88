"""Laws of repair and of what lies outside the decision: S3, S4, S6, S8, S10, S12."""

from typing import TYPE_CHECKING, Any

from tests.fleet.law import Law, joins
from tests.fleet.laws_leaving import overdue
from tests.property.laws import Tick

from inferagent.model.action import Push
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import Failed, Value
from inferagent.model.unit import Part

if TYPE_CHECKING:
    from tests.fleet.fleet import Fleet
    from tests.fleet.host import Host, Touch

HOUR = 3600.0
RACE = 45.0  # seconds that the question may be old which an engine's restart rests on
STALL = 50.0  # a hang of no more than this may end by itself


class S3(Law):
    """Repair only when out; an engine that could still answer is not restarted."""

    name = "S3"

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        if kind == "touch" and detail.alive and detail.verb != "start":
            self._touched(host, detail)

    def _touched(self, host: "Host", touch: "Touch") -> None:
        self.met = True
        asked = host.desired_stop()
        if touch.part is Part.CONNECTOR:
            if host.connector.ready and not host.replica and touch.phase is not Phase.OUT:
                self.breach(host, f"{touch.verb}s a connector that has connections in phase {touch.phase}")
            served = (
                touch.in_flight and host.connector.ready and not host.replica and host.engine.would_answer()
            )
            if served and not overdue(host):
                self.breach(host, f"{touch.verb}s a connector with {touch.in_flight} requests in it")
            return
        if touch.phase is not Phase.OUT:
            self.breach(host, f"{touch.verb}s the engine in phase {touch.phase}")
        if asked or touch.verb == "stop":
            return
        if touch.fine_for > RACE:
            self.breach(host, f"restarts an engine that has been well for {touch.fine_for:.0f} s")
        hung = host.truth.lasted("hung", self.fleet.now)
        if (
            host.engine.accepts()
            and host.engine.hung()
            and hung < STALL
            and not host.truth.lately("wrong", self.fleet.now, 120.0)
        ):
            self.breach(host, f"restarts an engine that has stalled for {hung:.0f} s only")


class S4(Law):
    """A write moves `enabled` of the own pool and nothing else."""

    name = "S4"

    def step(self) -> None:
        landed = self.fleet.account.landed
        self.met |= bool(landed)
        for write in landed:
            if not write.kept:
                self.breach(self.fleet.host(write.host), f"a write moved more than `enabled` of {write.pool}")
                landed.remove(write)
                return


class S6(Law):
    """A GPU fault is forgotten by nothing within its boot but the operator's word, and then not what is seen
    after that; what was seen before does not come back."""

    name = "S6"

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.sticky: dict[str, str] = {}
        self.word: dict[str, tuple[float, int]] = {}  # when it was said, after so many lines of the kernel

    def tick(self, host: "Host", tick: Tick) -> None:
        report, kernel, boot = tick.observed.gpus, tick.observed.kernel, tick.observed.boot
        said, lines = self.word.get(host.name, (float("-inf"), 0))
        seen = isinstance(report, Value) and report.at > said and any(gpu.fault for gpu in report.value.gpus)
        heard = isinstance(kernel, Value) and any(fault.sequence > lines for fault in kernel.value.faults)
        if seen or heard:
            self.sticky[host.name] = boot
        if self.sticky.get(host.name) != boot:
            if host.name in self.word and tick.decision.saved.faults:
                self.breach(host, "keeps a fault that was cleared and has not been seen since")
            return
        self.met = True
        if joins(tick):
            self.breach(host, "joins with a GPU fault of this boot")

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        if kind == "boot":
            self.word.pop(host.name, None)
        if kind == "cleared":
            self.sticky.pop(host.name, None)
            last = max((fault.sequence for fault in host.kernel), default=0)
            self.word[host.name] = host.clock.now(), last
        faulty = self.sticky.get(host.name) == host.clock.boot()
        if kind == "touch" and faulty and detail.part is Part.ENGINE and detail.verb != "stop":
            self.breach(host, f"{detail.verb}s the engine with a GPU fault of this boot")


class S8(Law):
    """Restarts have a budget that counts both authorities and survives the agent."""

    name = "S8"

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.done: dict[str, list[float]] = {host.name: [] for host in fleet.hosts}
        self.ours: set[str] = set()

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        forgotten = kind in ("agent down", "crash") and host.disk.full  # what was booked could not be saved
        if forgotten or kind in ("boot", "power off", "torn"):
            self.done[host.name] = []
            self.ours.add(host.name)
        if kind == "touch" and detail.part is Part.ENGINE:
            self._touched(host, detail)

    def _touched(self, host: "Host", touch: "Touch") -> None:
        if touch.verb == "stop":
            self.ours.add(host.name)
            return
        if touch.verb == "start" and host.name in self.ours:
            self.ours.discard(host.name)
            return
        now, clock = self.fleet.now, host.clock.now()
        own = [at for at in host.engine.own_restarts if clock - at < HOUR]
        before = [at for at in self.done[host.name] if now - at < HOUR]
        self.met = True
        if len(own) + len(before) >= host.terms.restarts_per_hour:
            self.breach(host, f"restart number {len(own) + len(before) + 1} within the hour")
        self.done[host.name] = [*before, now]


class S10(Law):
    """An agent that went and came changes neither push nor verdict by that."""

    name = "S10"

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.gone: dict[str, tuple[Phase, bool, str]] = {}
        self.first: set[str] = set()

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        if kind in ("agent down", "crash"):
            self.first.discard(host.name)
            saved = host.disk.saved()
            if saved is not None and saved.adopted and not host.disk.full:
                self.gone[host.name] = (saved.phase, host.verdict, saved.boot)
        elif kind in ("boot", "torn", "power off"):
            self.gone.pop(host.name, None)
        elif kind == "agent up" and host.name in self.gone:
            self.first.add(host.name)
        elif kind in ("verdict", "push") and host.name in self.gone and host.name not in self.first:
            self.breach(host, f"{kind} {detail} without an agent")

    def tick(self, host: "Host", tick: Tick) -> None:
        if host.name not in self.first:
            return
        self.first.discard(host.name)
        phase, verdict, boot = self.gone.pop(host.name)
        if phase in (Phase.JOINING, Phase.SERVING) and not verdict:
            phase = Phase.DRAINING  # it had begun to leave, and died before it could write that down
        if tick.observed.boot != boot:
            return
        self.met = True
        if tick.before.phase is not phase:
            self.breach(host, f"was {phase}, and wakes {tick.before.phase}")
        if tick.arrow is None and tick.decision.verdict is not verdict:
            self.breach(host, "the verdict turned with the agent")


class S12(Law):
    """What cannot be written down is not done, but leaving is."""

    name = "S12"

    def tick(self, host: "Host", tick: Tick) -> None:
        failed = isinstance(tick.observed.save, Failed) and tick.observed.save.at > float("-inf")
        self.met |= failed
        enabling = any(isinstance(action, Push) and action.member for action in tick.decision.actions)
        if failed and (joins(tick) or enabling):
            self.breach(host, "comes in although the state cannot be saved")

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        if kind != "touch" or not detail.alive or detail.verb == "start" or host.replica:
            return
        saved = host.disk.saved()
        if host.disk.full or saved is None or saved.phase is not host.phase:
            self.breach(host, f"{detail.verb}s {detail.part} with nothing of it on disk")


class Repaired(Law):
    """Every illness reaches its repair, or somebody is told that a person is needed."""

    name = "illness is repaired or said"
    rare = True
    BOUND = 1000.0
    TOLD = (Label.NEEDS_OPERATOR, Label.HELD, Label.WAITING, Label.RECONNECTING)

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.touched = {host.name: float("-inf") for host in fleet.hosts}
        self.due = self.BOUND

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        if kind in ("touch", "resume", "boot", "agent up"):
            self.touched[host.name] = self.fleet.now

    def step(self) -> None:
        now = self.fleet.now
        if now < self.due:
            return
        self.due = now + 20.0
        for host in self.fleet.hosts:
            if self._ill(host, now) and host.last is not None:
                self.met = True
                if now - self.touched[host.name] > self.BOUND and host.last.decision.label not in self.TOLD:
                    self.breach(host, f"ill for {self.BOUND:.0f} s, and only {host.told()}")

    def _ill(self, host: "Host", now: float) -> bool:
        """For so long, in a way that its agent can see, which nobody else has forbidden to mend."""
        if host.saved.stopped_engine:
            return False  # as asked, by a park or a hold
        sees = host.agent and not host.frozen and not host.units_unknown and host.engine.sight.plain()
        inside = host.phase in (Phase.JOINING, Phase.SERVING)
        ills = ("dead",) if inside else ("dead", "hung", "wrong", "stuck")
        long = [name for name in ills if host.truth.lasted(name, now) > self.BOUND]
        return sees and any(name in ("dead", "stuck") or self._asked_since(host, name, now) for name in long)

    def _asked_since(self, host: "Host", name: str, now: float) -> bool:
        """Only a question shows it, and while something else forbids the join none is asked."""
        reading = host.last.observed.generation if host.last is not None else None
        last = reading.value if isinstance(reading, Value) else None
        began = host.clock.now() - host.truth.lasted(name, now)
        return last is not None and last.begun >= began and last.incarnation == host.engine.incarnation
