"""The slots that probes write and the tick reads: the latest reading of each thing, aged when looked at."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from inferagent.model.change import changed
from inferagent.model.check import CheckResult, CheckView
from inferagent.model.engine import EngineLook, Generation, Occupant
from inferagent.model.gpu import GpuReport
from inferagent.model.host import HostLook
from inferagent.model.kernel import KernelLook
from inferagent.model.membership import MembershipView
from inferagent.model.observed import Job, Observed
from inferagent.model.reading import NEVER, Failed, Reading, Value, aged, known
from inferagent.model.tunnel import ConnectorLook
from inferagent.model.unit import Unit

PROBES = ("engine", "connector", "membership", "generation", "host", "gpus")
LOOK_AGE, HOST_AGE, GPU_AGE, MEMBERSHIP_AGE, OCCUPANT_AGE = 10.0, 60.0, 30.0, 30.0, 15.0


@dataclass
class Board:
    """`changed` is called after every write."""

    changed: Callable[[], None]
    engine_unit: Reading[Unit] = NEVER
    connector_unit: Reading[Unit] = NEVER
    engine: Reading[EngineLook] = NEVER
    connector: Reading[ConnectorLook] = NEVER
    generation: Reading[Generation] = NEVER
    occupant: Reading[Occupant | None] = NEVER
    membership: Reading[MembershipView] = NEVER
    last_membership: Reading[MembershipView] = NEVER  # the last that succeeded, however old
    turned_at: float | None = None  # when the pool was seen to turn in or out
    gpus: Reading[GpuReport] = NEVER
    kernel: Reading[KernelLook] = NEVER
    host: Reading[HostLook] = NEVER
    save: Reading[bool] = NEVER
    asked: int = 0
    troubles: dict[str, str] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)  # looks that came back with nothing, by slot
    checks: dict[str, tuple[float, CheckView]] = field(default_factory=dict)  # each with its longest age

    def put(self, slot: str) -> Callable[[Reading[object]], None]:
        """The writer of one slot, by its name."""

        def write(reading: Reading[object]) -> None:
            setattr(self, slot, reading)
            self.failures[slot] += isinstance(reading, Failed)
            if slot == "membership" and isinstance(self.membership, Value):
                self._turn(self.membership)
            self.changed()

        return write

    def put_occupant(self, reading: Reading[Occupant | None]) -> None:
        """A look at processes that come and go takes nothing back: what was known ages by itself."""
        if isinstance(reading, Value) or not isinstance(self.occupant, Value):
            self.put("occupant")(reading)

    def put_check(self, name: str, age: float) -> Callable[[Reading[CheckResult]], None]:
        """The writer of one of the user's own checks; a reading older than `age` seconds is unknown."""

        def write(reading: Reading[CheckResult]) -> None:
            _, before = self.checks.get(name, (age, CheckView()))
            last = reading if isinstance(reading, Value) else before.last
            self.checks[name] = age, CheckView(reading, last)
            self.changed()

        return write

    def _turn(self, reading: Value[MembershipView]) -> None:
        last, self.last_membership = self.last_membership, reading
        if isinstance(last, Value) and last.value.own.enabled is not reading.value.own.enabled:
            self.turned_at = reading.at

    def _membership(self, now: float) -> Reading[MembershipView]:
        """A look that failed does not undo one that succeeded a moment ago."""
        last = aged(self.last_membership, now, MEMBERSHIP_AGE)
        return last if isinstance(last, Value) else self.membership

    def _of_this_life(self) -> Reading[EngineLook]:
        """A look that was begun before the engine's present life says nothing of it."""
        unit, look = known(self.engine_unit), self.engine
        if unit is not None and isinstance(look, Value) and look.at < unit.since:
            return Failed("the last look was at an earlier life of the engine", look.at)
        return look

    def snapshot(self, now: float, boot: str, jobs: tuple[tuple[str, Job], ...]) -> Observed:
        """What this tick sees. Readings past their age are unknown."""
        return Observed(
            now=now,
            boot=boot,
            engine_unit=self.engine_unit,
            connector_unit=self.connector_unit,
            engine=_engine(self._of_this_life(), now),
            connector=_connector(self.connector, now),
            generation=self.generation,
            occupant=aged(self.occupant, now, OCCUPANT_AGE),
            membership=self._membership(now),
            gpus=aged(self.gpus, now, GPU_AGE),
            kernel=self.kernel,
            host=aged(self.host, now, HOST_AGE),
            save=self.save,
            asked=self.asked,
            troubles=tuple((code, text) for code, text in self.troubles.items() if text),
            jobs=jobs,
            checks=tuple((name, _check(view, now, age)) for name, (age, view) in self.checks.items()),
        )


def _engine(reading: Reading[EngineLook], now: float) -> EngineLook:
    """The fields of the last look, each aged by itself; of a failed look, none is known."""
    if not isinstance(reading, Value):
        failed = reading if isinstance(reading, Failed) else NEVER
        return EngineLook(failed, failed, failed, failed, failed, failed)
    look = reading.value
    return changed(
        look,
        accepts=aged(look.accepts, now, LOOK_AGE),
        models=aged(look.models, now, 3 * LOOK_AGE),
        progress=aged(look.progress, now, LOOK_AGE),
        load=aged(look.load, now, LOOK_AGE),
        lan=aged(look.lan, now, LOOK_AGE),
        warmup=aged(look.warmup, now, LOOK_AGE),
    )


def _check(view: CheckView, now: float, age: float) -> CheckView:
    return changed(view, reading=aged(view.reading, now, age))


def _connector(reading: Reading[ConnectorLook], now: float) -> ConnectorLook:
    if not isinstance(reading, Value):
        failed = reading if isinstance(reading, Failed) else NEVER
        return ConnectorLook(failed, failed, failed, failed)
    look = reading.value
    return changed(
        look,
        ready=aged(look.ready, now, LOOK_AGE),
        traffic=aged(look.traffic, now, LOOK_AGE),
        ingress=aged(look.ingress, now, 3 * LOOK_AGE),
        tunnel_id=aged(look.tunnel_id, now, 3 * LOOK_AGE),
    )
