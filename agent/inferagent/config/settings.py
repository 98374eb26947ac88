"""The settings: every key with its kind and limits. The defaults stand in defaults.toml, not here; only
what may be left out of a list element or has no default at all is optional in these models.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from inferagent.config.blank import Blank
from inferagent.config.kinds import (
    Address,
    Argv,
    Choice,
    Duration,
    Flag,
    Folder,
    Gpus,
    Name,
    Pairs,
    Text,
    Url,
    Whole,
)
from inferagent.config.listen import Listen
from inferagent.model.check import Effect
from inferagent.model.desired import EngineKind, Mode
from inferagent.model.membership import MembershipKind

OWN_ENGINE, OWN_CONNECTOR = "inferagent-engine.service", "inferagent-connector.service"
OWN_UNITS = (OWN_ENGINE, OWN_CONNECTOR)  # they run the command of this configuration
Off = float | None  # seconds, None for "off"
PairsOf = tuple[tuple[str, str], ...]

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOSTNAME = rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})+"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UNIT = Text(r"[A-Za-z0-9:_.@\\-]{1,240}\.service", 'the name of a systemd unit such as "ollama.service"')
CHECK_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}"
_CHECK = Text(f"(?:{CHECK_NAME})?", "a short name of letters and digits")
_IMAGE = Text(
    r"[a-z0-9][A-Za-z0-9._:/-]{0,255}@sha256:[0-9a-f]{64}",
    'an image by digest such as "vllm/vllm-openai@sha256:…" (docker images --digests names it): a tag may '
    "mean another program tomorrow",
)
_DEVICES = Text("auto|nvidia|amd|none", '"auto", "nvidia", "amd" or "none"')
_PUBLISH = Text(
    r"(?:(?:[0-9.]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5})?", 'an address such as "127.0.0.1:8000", or ""'
)
_GROUP = Text(r"(?:[A-Za-z_][A-Za-z0-9_.-]{0,31})?", 'the name of a group, or ""')
_ID = Text(r"[A-Za-z0-9_-]{1,64}", "an id as the Cloudflare dashboard shows it")
_ENVIRONMENT = Pairs(0, 'a table of texts such as { CUDA_VISIBLE_DEVICES = "0" }', variables=True)


class Table(BaseModel):
    """A table of the configuration: unknown keys are errors, values are never changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Agent(Table):
    state: Annotated[Path, Folder()]
    run: Annotated[Path, Folder()]
    readers: Annotated[str, _GROUP] = ""
    operators: Annotated[str, _GROUP] = ""


class Host(Table):
    name: Annotated[str, Name(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62})?", "a short name of letters and digits")]


class Engine(Table):
    kind: Annotated[EngineKind, Choice(EngineKind)]
    url: Annotated[str, Url(("http",))]
    unit: Annotated[str, _UNIT] = ""
    command: Annotated[tuple[str, ...], Argv()] = ()
    environment: Annotated[PairsOf, _ENVIRONMENT] = ()
    image: Annotated[str, _IMAGE] = ""
    devices: Annotated[str, _DEVICES] = "auto"
    volumes: Annotated[tuple[str, ...], Blank(Argv())] = ()
    publish: Annotated[str, _PUBLISH] = ""  # "": the container has the host's network
    gpus: Annotated[tuple[int, ...] | None, Gpus()] = None  # None: all
    serves: Annotated[PairsOf, Pairs(1, 'a table of model names such as { chat = "llama3:8b" }')]


class Connector(Table):
    unit: Annotated[str, _UNIT] = ""
    command: Annotated[tuple[str, ...], Argv()] = ()
    environment: Annotated[PairsOf, _ENVIRONMENT]
    metrics: Annotated[tuple[str, int], Address()]
    hostname: Annotated[str, Text(HOSTNAME, 'a host name such as "gpu-home.example.com"')]
    tunnel: Annotated[str, Text(_UUID, "the tunnel's id, a UUID")] = ""


class Membership(Table):
    kind: Annotated[MembershipKind, Choice(MembershipKind)]
    account: Annotated[str, _ID] = ""
    zone: Annotated[str, _ID] = ""
    pool: Annotated[str, _ID] = ""
    load_balancer: Annotated[str, _ID] = ""
    api: Annotated[str, Url(("https", "http"), path=True)]
    monitor_bound: Annotated[float, Duration(1, 14400)]
    alone: Annotated[bool, Flag()]


class Ready(Table):
    port: Annotated[int, Whole(1, 65535)]


class Drain(Table):
    deadline: Annotated[float, Duration(2, 86400)]
    deadline_alone: Annotated[float, Duration(2, 86400)]
    deadline_operator: Annotated[float, Duration(2, 86400)]
    settle: Annotated[float, Duration(1, 600)]
    quiet: Annotated[float, Duration(0.5, 600)]
    shutdown: Annotated[float, Duration(2, 3600)]


class Idle(Table):
    after: Annotated[Off, Duration(60, 30 * 86400, off=True)]
    stop_engine: Annotated[bool, Flag()]


class Limits(Table):
    restarts_per_hour: Annotated[int, Whole(0, 60)]
    joins_per_hour: Annotated[int, Whole(1, 600)]
    warming_without_progress: Annotated[float, Duration(5, 86400)]
    stuck_load: Annotated[float, Duration(5, 86400)]
    hold_off: Annotated[float, Duration(0.1, 3600)]
    hold_off_reset: Annotated[float, Duration(1, 7 * 86400)]
    no_edge: Annotated[float, Duration(1, 3600)]
    reconnect_first: Annotated[float, Duration(1, 3600)]
    reconnect_last: Annotated[float, Duration(1, 86400)]


class Probe(Table):
    # Each below the age at which such a reading counts as unknown (runtime.board), whatever `fresh` says.
    look: Annotated[float, Duration(0.1, 8)]
    host: Annotated[float, Duration(0.1, 50)]
    gpus: Annotated[float, Duration(0.1, 25)]
    membership: Annotated[float, Duration(0.5, 300)]
    fresh: Annotated[float, Duration(1, 600)]
    falls: Annotated[int, Whole(1, 10)]
    generation_deadline: Annotated[float, Duration(0.5, 300)]
    suspect_frozen: Annotated[float, Duration(0.5, 300)]
    hang_frozen: Annotated[float, Duration(1, 3600)]
    hang_frozen_traffic: Annotated[float, Duration(1, 3600)]


class Notify(Table):
    exec: Annotated[tuple[str, ...], Blank(Argv())]
    webhook: Annotated[str, Blank(Url(("https", "http"), path=True))]
    after: Annotated[float, Duration(1, 86400)]


class Metrics(Table):
    listen: Annotated[tuple[str, int] | None, Listen()]


def _within(given: dict[str, Any]) -> float:
    """The deadline of a check that names none: a run ends before the next."""
    every: float = given.get("every", 60.0)
    return min(10.0, every / 2)


class Check(Table):
    name: Annotated[str, _CHECK] = ""
    exec: Annotated[tuple[str, ...], Argv()]
    every: Annotated[float, Duration(1, 86400)] = 60.0
    deadline: Annotated[float, Duration(0.1, 3600)] = Field(default_factory=_within)
    effect: Annotated[Effect, Choice(Effect)] = Effect.TELL

    @property
    def called(self) -> str:
        """Its name; where none is given, its program's."""
        return self.name or Path(self.exec[0]).name


class Settings(Table):
    """One host's whole configuration, checked."""

    mode: Annotated[Mode, Choice(Mode)]
    agent: Agent
    host: Host
    engine: tuple[Engine, ...]
    connector: Connector
    membership: Membership
    ready: Ready
    drain: Drain
    idle: Idle
    limits: Limits
    probe: Probe
    notify: Notify
    metrics: Metrics
    check: tuple[Check, ...] = ()

    @property
    def only_engine(self) -> Engine:
        """The one engine that this version takes."""
        return self.engine[0]

    def at(self, *path: str) -> Any:
        """A value by its key: at("drain", "settle")."""
        found: Any = self
        for name in path:
            found = getattr(found, name)
        return found
