"""A supervised unit: a child process of the agent, or a systemd unit; both look the same from here."""

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """The two parts that the agent supervises."""

    ENGINE = "engine"
    CONNECTOR = "connector"


class UnitState(StrEnum):
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    RESTARTING = "restarting"  # the supervisor starts it again by itself, after its delay
    FAILED = "failed"  # the supervisor gave up (start limit)
    MISSING = "missing"
    MASKED = "masked"


NO_PROCESS = (UnitState.STOPPED, UnitState.FAILED, UnitState.MISSING, UnitState.MASKED)


def has_ended(state: str) -> bool:
    """`state` as a status tells it: how the last life ended may follow in brackets."""
    return state.partition(" ")[0] in NO_PROCESS


@dataclass(frozen=True, slots=True)
class Unit:
    """One look at a unit.

    `incarnation` names one life of its main process (pid and start time, or InvocationID and main pid) and is
    "" while there is none. `own_restarts` are boot-clock seconds of the restarts that the supervisor made by
    itself in this boot; they count in the budget of S8. `exit` says how the last life ended ("exit code 0",
    "killed by signal 9"). `leftovers` counts processes of an earlier life that still run.
    """

    state: UnitState
    incarnation: str = ""
    main_pid: int = 0
    since: float = 0.0
    own_restarts: tuple[float, ...] = ()
    stopped_by_person: bool = False
    exit: str = ""
    leftovers: int = 0

    @property
    def alive(self) -> bool:
        """Whether a main process exists."""
        return bool(self.incarnation)
