"""Everything that one tick sees, frozen."""

from dataclasses import dataclass, field

from inferagent.model.check import CheckView
from inferagent.model.engine import EngineLook, Generation, Occupant
from inferagent.model.gpu import GpuReport
from inferagent.model.host import HostLook
from inferagent.model.kernel import KernelLook
from inferagent.model.membership import MembershipView
from inferagent.model.reading import NEVER, Reading
from inferagent.model.tunnel import ConnectorLook
from inferagent.model.unit import Unit


@dataclass(frozen=True, slots=True)
class Job:
    """One job slot. `error` is "" after success; `ended` None while it runs or before the first."""

    running: bool = False
    begun: float | None = None
    ended: float | None = None
    error: str = ""
    failures: int = 0  # in a row


IDLE = Job()


@dataclass(frozen=True, slots=True)
class Observed:
    """`now` in boot-clock seconds of boot `boot`. `save` is Failed while state cannot be saved."""

    now: float
    boot: str
    engine_unit: Reading[Unit] = NEVER
    connector_unit: Reading[Unit] = NEVER
    engine: EngineLook = field(default_factory=EngineLook)
    connector: ConnectorLook = field(default_factory=ConnectorLook)
    generation: Reading[Generation] = NEVER
    occupant: Reading[Occupant | None] = NEVER  # None: nobody foreign is known to be at the engine's port
    membership: Reading[MembershipView] = NEVER
    gpus: Reading[GpuReport] = NEVER
    kernel: Reading[KernelLook] = NEVER  # what the kernel and the driver's files tell of the GPUs
    host: Reading[HostLook] = NEVER
    save: Reading[bool] = NEVER
    troubles: tuple[tuple[str, str], ...] = ()  # the agent's own: a stable code, and a sentence
    asked: int = 0  # probes of the monitor that the ready program has counted
    jobs: tuple[tuple[str, Job], ...] = ()
    checks: tuple[tuple[str, CheckView], ...] = ()  # the user's own, by name

    def job(self, slot: str) -> Job:
        """The job slot by name: "push", "engine", "connector"."""
        return next((job for name, job in self.jobs if name == slot), IDLE)
