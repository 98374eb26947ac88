"""What the agent must not forget: the saved state (a file), and the memory between two ticks (no file)."""

from dataclasses import dataclass, field

from inferagent.model.health import Cause
from inferagent.model.phase import Phase

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Drain:
    """One leaving, in boot-clock seconds.

    `left_at`: verdict 503 and leaving write sent; `proven_at`: first proof that the host is out; `kept_in`:
    S2 keeps the pool enabled, leaving is the verdict alone.
    """

    left_at: float
    deadline: float
    kept_in: bool = False
    proven_at: float | None = None
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A sticky GPU fault of one boot; ends with the boot id, a confirmed reset, or the operator's word."""

    boot: str
    gpu: str
    code: str
    text: str
    at: float


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

    signature: tuple[tuple[str, float], ...] = ()
    moved_at: float | None = None  # when the signature last changed; None before the second look
    looks: float = float("-inf")  # time of the last look folded in
    arrivals_total: int | None = None
    arrived_at: float | None = None  # when a request last arrived through the connector
    busy_at: float | None = None  # when a request was last in flight (or unknown)
    falls: tuple[tuple[str, int], ...] = ()  # consecutive bad readings by finding code
    fall_marks: tuple[tuple[str, float], ...] = ()  # the reading time that each count last saw
    sinces: tuple[tuple[str, float], ...] = ()  # finding code → when it began
    generation_ok_at: float | None = None  # begin of the last good generation
    generation_bad: int = 0  # failed generations in a row
    generation_mark: float = float("-inf")
    warm_signature: tuple[float, ...] = ()
    warm_moved_at: float | None = None
    load_stuck_since: float | None = None
    s2_since: float | None = None  # when the wait of S2 for an inferred cause began
    s2_kept_since: float | None = None
    no_peer_reading_since: float | None = None
    leaving_pushed_at: float | None = None
    suspect: bool = False


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
    proof_floor: float = float("-inf")  # a join needs a generation begun after this
    restarts: tuple[float, ...] = ()  # times of our own engine restarts in the last hour
    joins: tuple[float, ...] = ()
    hold_off_level: int = 0
    hold_off_until: float = float("-inf")
    serving_since: float | None = None
    connector_restarts: int = 0
    connector_restart_at: float = float("-inf")
    faults: tuple[Fault, ...] = ()
    gpu_count: int = 0  # most GPUs seen in this boot
    baseline: bool | None = None  # membership as last confirmed: the measure of another hand (S16)
    last_write: Write | None = None
    other_hand: bool = False  # hold by another hand
    resume_free: bool = False  # after `resume`: neither hold-off nor cap until the next join
    resumed_at: float | None = None  # the last `resume` that was acted on
    memory: Memory = field(default_factory=Memory)
