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
    """Engine or connector in one line: `name` "vllm", `detail` what it serves, `state` how its unit is.

    `condition` says more than the unit knows, for a person: "running, hangs", "stopped (GPU 1 is lost)".
    """

    name: str
    detail: str
    state: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class StatusMembership:
    """`state`: in, out, unknown, from a reading only; `age` of that reading in seconds, None if none.

    `since`: when the pool was seen, or made, to read so, "" where that was not seen; `after`: so many seconds
    after the cause of leaving began.
    """

    kind: str
    state: str
    healthy: bool | None
    age: float | None
    peers_effective: int | None
    peers: int | None
    since: str = ""
    after: float | None = None


@dataclass(frozen=True, slots=True)
class StatusGpu:
    """`text` is for a person; the numbers are percent, bytes and °C, None where they cannot be read."""

    index: int
    name: str
    text: str
    uuid: str = ""
    fault: str = ""
    utilisation: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    temperature: int | None = None


@dataclass(frozen=True, slots=True)
class StatusWarming:
    """How far a load is. `total`: bytes of the model, None if unknown; `rate`: bytes a second; `left`:
    seconds to its end.

    `still`: seconds for which neither disk nor memory nor CPU has moved.
    """

    read: int
    total: int | None = None
    rate: float | None = None
    left: float | None = None
    still: float = 0.0


@dataclass(frozen=True, slots=True)
class Status:
    """`exit_code` is the code of `inferagent status` (0, 1, 3, 4). `seconds` in the present phase.

    `waits`: what is wanted and why it is not done yet; `doing`: what is being done. `connections` of the
    connector to the edge, of `connections_wanted`. `deadline`: when a drain ends at the latest, "" for none.
    `at`: when this was said.
    """

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
    at: str = ""
    root_code: str = ""
    root_component: str = ""
    waits: tuple[str, ...] = ()
    doing: tuple[str, ...] = ()
    warming: StatusWarming | None = None
    connections: int | None = None
    connections_wanted: int = 4
    deadline: str = ""
    hold_until: str = ""  # when the hold ends by itself, "" where only `resume` ends it
    hold_left: float | None = None  # seconds until then
    lent: bool = False  # the engine is down and its GPU left to others
