"""What is wanted: the operator's hold, the mode, and every number that the policy works with."""

from dataclasses import dataclass, field
from enum import StrEnum

from inferagent.model.check import Check
from inferagent.model.membership import MembershipKind
from inferagent.model.tunnel import IngressRule


class Mode(StrEnum):
    OBSERVE = "observe"
    ACT = "act"


class EngineKind(StrEnum):
    VLLM = "vllm"
    OLLAMA = "ollama"


@dataclass(frozen=True, slots=True)
class Until:
    """The moment at which a hold ends by itself, by two clocks.

    `at` is the second on the clock of boot `boot`, which rules within that boot; `wall` (ISO 8601 with zone)
    is the same moment by the wall clock, which rules after it. `longest`: seconds that a later boot may wait.
    """

    boot: str
    at: float
    wall: str
    longest: float


@dataclass(frozen=True, slots=True)
class Hold:
    """The operator's standing word: out until `resume`, or until `until`.

    `wall` is display time (ISO 8601). `deadline` in seconds bounds the drain, None = the default. `last`:
    leave even as the last effective endpoint. `durable` False: the file could not be written, so the hold
    ends with this boot. `lend`: the GPU is lent; the engine stays down until others have left it.
    """

    wall: str
    reason: str = ""
    stop_engine: bool = False
    last: bool = False
    deadline: float | None = None
    durable: bool = True
    until: Until | None = None
    lend: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """Durations in seconds, counts, and the shape of this host; made once from the settings."""

    engine: EngineKind = EngineKind.VLLM
    names: tuple[str, ...] = ("chat",)  # public model names, each proven before a join
    engine_names: tuple[str, ...] = ("chat",)  # what the engine's own list must contain
    membership: MembershipKind = MembershipKind.OWN_POOL
    pool: str = ""  # the id of the host's own pool
    alone: bool = False  # no other endpoint exists, by configuration
    ingress: tuple[IngressRule, ...] = ()  # what the connector's configuration must begin with
    tunnel_id: str = ""
    machine: str = ""
    made_by_setup: bool = False  # setup created the pool disabled: no other hand did
    gpus: tuple[int, ...] | None = None  # the GPUs that the engine uses, None: all
    engine_unit: str = ""  # their systemd units, for the cures; "" for a child of the agent
    connector_unit: str = ""
    # drain
    settle: float = 10.0
    quiet: float = 3.0
    deadline: float = 120.0
    deadline_alone: float = 60.0
    deadline_operator: float = 900.0
    monitor_bound: float = 240.0  # the monitor's worst case to see a 503 (pull, and the ready URL)
    # evidence
    fresh: float = 30.0
    falls: int = 2
    no_edge: float = 60.0
    hang_frozen: float = 30.0
    hang_frozen_traffic: float = 12.0
    suspect_frozen: float = 3.0  # vLLM; an Ollama is suspected after a third of hang_frozen
    generation_deadline: float = 6.0
    proof_age: float = 60.0
    hang_proof_age: float = 45.0
    stuck_load: float = 600.0
    warming_without_progress: float = 600.0
    # looking
    pace_look: float = 2.0
    pace_membership: float = 15.0
    # budgets
    restarts_per_hour: int = 3
    joins_per_hour: int = 6
    hold_off: float = 60.0  # doubles to 60 times this
    hold_off_reset: float = 3600.0
    reconnect_first: float = 60.0
    reconnect_last: float = 600.0
    stop_when_parked: bool = False
    checks: tuple[Check, ...] = ()  # the user's own


@dataclass(frozen=True, slots=True)
class Desired:
    """One tick's wishes. `resumed_at`: boot-clock second of the last `resume`, or None. `going_until`: the
    boot-clock second at which the host will vanish, or None."""

    terms: Terms = field(default_factory=Terms)
    configured: bool = True
    mode: Mode = Mode.ACT
    hold: Hold | None = None
    resumed_at: float | None = None
    parked: str = ""  # why the host is asked to idle; "" = serve
    going_until: float | None = None
    installing: str = ""
