"""What the agent must not forget: the saved state (a file), and the memory between two ticks (no file)."""

from dataclasses import dataclass, field

from inferagent.model.desired import Hold
from inferagent.model.health import Cause
from inferagent.model.phase import Phase

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Drain:
    """One leaving, in boot-clock seconds.

    `left_at`: verdict 503 and leaving write sent; `proven_at`: first proof that the host is out, and `proof`
    says which.
    """

    left_at: float
    deadline: float | None  # None: a soft cause has all the time
    proven_at: float | None = None
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A sticky GPU fault of one boot; ends with the boot id, a confirmed reset, or the operator's word.

    One a GPU, its first: what follows is a part of it. `sequence`: the kernel's line that tells it, -1 where
    the driver did. `cure`: "reboot" or "reset".
    """

    boot: str
    gpu: str
    code: str
    text: str
    at: float
    cure: str = "reboot"
    index: int | None = None
    pci: str = ""
    sequence: int = -1


@dataclass(frozen=True, slots=True)
class Cleared:
    """The operator's word on one GPU: what the driver said until `at`, and the kernel until its line
    `sequence`, counts no more."""

    boot: str
    gpu: str
    at: float
    index: int | None = None
    pci: str = ""
    sequence: int = -1


@dataclass(frozen=True, slots=True)
class Write:
    """This agent's last write to its own membership. `confirmed`: a later reading showed it."""

    member: bool
    at: float
    answered: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """Evidence gathered between ticks; lost with the agent, and rebuilt by looking again."""

    incarnation: str = ""  # the engine life that the evidence below is about
    signature: tuple[tuple[str, float], ...] = ()
    looked_at: float | None = None  # the last look at the engine's progress that succeeded
    moved_at: float | None = None  # when the signature last changed
    accepted: bool = False  # this incarnation's port has accepted once
    accepts: bool = False  # and did so when it was last seen
    warm_signature: tuple[float, ...] = ()
    warm_moved_at: float | None = None
    warm_looked_at: float | None = None
    warm_loaded: int = 0  # bytes of the model read when last looked
    warm_rate: float | None = None  # and so many a second of late
    load_since: float | None = None  # since when requests have been in the engine without a break
    idle_since: float | None = None  # since when every way in has been known to be empty
    generation_ok_at: float | None = None  # begin of this incarnation's last good generation
    generation_bad: int = 0  # wrong answers in a row
    asked_since: float | None = None  # begin of the first of the generations unanswered in a row
    generation_mark: float = float("-inf")
    arrivals: int | None = None
    arrived_at: float | None = None  # when a user's request last arrived, or counting began
    failed: int | None = None  # answers with 5xx that the connector has counted
    failed_at: float | None = None  # when that last grew
    counted_since: float | None = None  # when counting of arrivals began
    asked: int = 0  # probes of the monitor that the ready program has counted
    asked_at: float | None = None  # when that last grew
    port_taken_at: float | None = None  # when the engine's port was last known to be a foreign program's
    falls: tuple[tuple[str, int, float], ...] = ()  # code, bad readings in a row, time of the last counted
    sinces: tuple[tuple[str, float], ...] = ()  # code of a finding or cause → when it began
    no_edge_since: float | None = None
    edge_looked_at: float | None = None  # the last look at the edge connections that succeeded
    hold: Hold | None = None  # the operator's last word
    held_since: float | None = None  # and when it was heard
    pool_at: float | None = None  # begin of the last fresh look at the pool
    wait_since: float | None = None  # S2: begin of an inferred cause's wait for its turn
    kept_since: float | None = None  # S2: since when an inferred cause has been kept in


@dataclass(frozen=True, slots=True)
class Saved:
    """The saved state. All times are boot-clock seconds of boot `boot`; a new boot starts with `reboot`."""

    schema: int = SCHEMA
    boot: str = ""
    adopted: bool = False  # False: no saved state existed, the first ticks adopt what they find
    phase: Phase = Phase.OUT
    since: float = 0.0
    cause: Cause | None = None  # why the host left, or leaves
    drain: Drain | None = None
    incarnation: str = ""  # the engine life that the present phase rests on
    proof_floor: float = 0.0  # a join needs a generation begun after this
    restarts: tuple[float, ...] = ()  # times of our own engine restarts in the last hour
    joins: tuple[float, ...] = ()
    hold_off_level: int = 0
    hold_off_until: float = 0.0
    serving_since: float | None = None
    connector_restarts: int = 0
    connector_restart_at: float = 0.0
    faults: tuple[Fault, ...] = ()
    cleared: tuple[Cleared, ...] = ()
    gpu_count: int = 0  # most GPUs seen in this boot
    pool: str = ""  # the id of the own pool that this is about, "" where none was noted
    baseline: bool | None = None  # membership as last confirmed: the measure of another hand (S16)
    last_write: Write | None = None
    other_hand: bool = False  # hold by another hand
    resume_free: bool = False  # after `resume`: neither hold-off nor cap until the next join
    resumed_at: float | None = None  # the last `resume` that was acted on
    unanswered_at: float | None = None  # when one of our writes last ended without an answer
    stopped_engine: bool = False  # the engine is down because we stopped it
    residents: tuple[str, ...] | None = None  # who else was on its GPUs at the last join; None: unseen
    lent: bool = False  # the GPU was lent: no start of the engine while somebody else is on it
    memory: Memory = field(default_factory=Memory)
