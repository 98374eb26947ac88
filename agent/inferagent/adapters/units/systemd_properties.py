"""What systemd says of one service: the properties that matter here, from replies and from signals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

UNIT = "org.freedesktop.systemd1.Unit"
SERVICE = "org.freedesktop.systemd1.Service"
KILLED, DUMPED = 2, 3  # CLD_KILLED and CLD_DUMPED, in ExecMainCode
SIGTERM = 15


@dataclass(frozen=True, slots=True)
class Properties:
    """One service at one moment. Times are microseconds of the monotonic clock, 0 for never in this boot.

    `job` is the number of the job that waits or runs for the unit. `code` and `status` say how the main
    process ended and are 0 while it runs. `policy` is Restart=. `group` is the control group, "" for none.
    """

    load: str = "loaded"
    load_error: str = ""
    active: str = "inactive"
    sub: str = "dead"
    invocation: str = ""
    job: int = 0
    burst: int = 0
    window: float = 0.0  # seconds
    main: int = 0
    control: int = 0
    started: int = 0
    code: int = 0
    status: int = 0
    result: str = "success"
    restarts: int = 0
    policy: str = "no"
    group: str = ""

    @property
    def rests(self) -> bool:
        """Neither runs nor is about to, but for a job that may wait."""
        return not self.main and self.active in ("inactive", "failed")

    @property
    def comes_again(self) -> bool:
        """Whether Restart= has systemd start it again after an end like this one."""
        clean = self.result == "success"
        return {
            "always": True,
            "on-success": clean,
            "on-failure": not clean,
            "on-abnormal": self.result in ("signal", "core-dump", "timeout", "watchdog", "oom-kill"),
            "on-abort": self.result in ("signal", "core-dump"),
            "on-watchdog": self.result == "watchdog",
        }.get(self.policy, False)

    @property
    def was_stopped(self) -> bool:
        """Only a stop explains that it rests: after any other such end systemd would have started it."""
        if self.active != "inactive" or self.result != "success" or not self.invocation:
            return False
        terminated = self.code == KILLED and self.status == SIGTERM
        return self.policy == "always" or (terminated and self.policy != "no")


def _hex(value: Any) -> str:
    raw = bytes(value)
    return raw.hex() if any(raw) else ""


def _first(value: Any) -> int:
    return int(value[0])


def _message(value: Any) -> str:
    return str(value[1])


def _seconds(value: Any) -> float:
    return float(value) / 1e6


# (interface, name on the bus) → (field, how to read it)
NAMES: dict[tuple[str, str], tuple[str, Callable[[Any], Any]]] = {
    (UNIT, "LoadState"): ("load", str),
    (UNIT, "LoadError"): ("load_error", _message),
    (UNIT, "ActiveState"): ("active", str),
    (UNIT, "SubState"): ("sub", str),
    (UNIT, "InvocationID"): ("invocation", _hex),
    (UNIT, "Job"): ("job", _first),
    (UNIT, "StartLimitBurst"): ("burst", int),
    (UNIT, "StartLimitIntervalUSec"): ("window", _seconds),
    (SERVICE, "MainPID"): ("main", int),
    (SERVICE, "ControlPID"): ("control", int),
    (SERVICE, "ExecMainStartTimestampMonotonic"): ("started", int),
    (SERVICE, "ExecMainCode"): ("code", int),
    (SERVICE, "ExecMainStatus"): ("status", int),
    (SERVICE, "Result"): ("result", str),
    (SERVICE, "NRestarts"): ("restarts", int),
    (SERVICE, "Restart"): ("policy", str),
    (SERVICE, "ControlGroup"): ("group", str),
}


def merge(before: Properties, interface: str, values: Mapping[str, Any]) -> Properties:
    """With what a reply or a signal says; names of no interest are left out."""
    found = {
        known[0]: known[1](value) for name, value in values.items() if (known := NAMES.get((interface, name)))
    }
    return replace(before, **found)
