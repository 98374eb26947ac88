"""The one Status document; the CLI, the log line and sd_notify render it, so they cannot disagree.

JSON, `schema` 1. Readers keep fields that they do not know. Times are wall clock, ISO 8601 with zone, for
display; ages are seconds.
"""

from dataclasses import dataclass

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class StatusFinding:
    code: str
    component: str
    health: str
    text: str
    since: str
    cure: str


@dataclass(frozen=True, slots=True)
class StatusPart:
    """Engine or connector in one line: `name` "vllm", `detail` what it serves, `state` how it is."""

    name: str
    detail: str
    state: str


@dataclass(frozen=True, slots=True)
class StatusMembership:
    """`state`: in, out, unknown, from a reading only; `age` of that reading in seconds, None if none."""

    kind: str
    state: str
    healthy: bool | None
    age: float | None
    peers_effective: int | None
    peers: int | None


@dataclass(frozen=True, slots=True)
class StatusGpu:
    index: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """`exit_code` is the code of `inferagent status` (0, 1, 3, 4). `seconds` in the present phase."""

    schema: int
    host: str
    mode: str
    phase: str
    label: str
    since: str
    seconds: float
    sentence: str
    root_cause: str
    cure: str
    verdict: bool
    hold: str
    engine: StatusPart
    connector: StatusPart
    membership: StatusMembership
    gpus: tuple[StatusGpu, ...]
    in_flight_tunnel: int | None
    in_flight_lan: int | None
    findings: tuple[StatusFinding, ...]
    vetoes: tuple[str, ...]
    boot: str
    agent_version: str
    exit_code: int
