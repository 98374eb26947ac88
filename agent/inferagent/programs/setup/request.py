"""What a person asks of setup, whole and checked: the command line fills it in, nothing else does.

Seconds, percent and absolute paths; "" means that setup chooses (its choice is a property or is found).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from inferagent.adapters.docker.recipe import DIGEST
from inferagent.config.containers import container_of
from inferagent.config.settings import OWN_CONNECTOR, OWN_ENGINE
from inferagent.model.desired import EngineKind
from inferagent.model.membership import MembershipKind

Setting: TypeAlias = str | int | float | bool

CLOUDFLARE = "https://api.cloudflare.com/client/v4"
POOL_LIMIT = 20  # pools of an account without Enterprise, the fallback pool counted
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LIKE = "write a name below a zone, in small letters, like chat.example.com"
UNSAID = (
    "cannot supervise the engine: nothing that runs it was found; name it by one of them: --engine-unit, "
    "--engine-command, --engine-container, --engine-image"
)


class BadRequestError(Exception):
    """The request contradicts itself; the text names the option and the cure."""


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """`serves` pairs a public model name with the engine's own name. One of `command` and `unit` is given.

    `container` is the name of a docker container, `image` what one is made from; then `command` stands after
    the image. None of the four: setup adopts what it finds.
    """

    kind: EngineKind
    url: str
    serves: tuple[tuple[str, str], ...]
    command: tuple[str, ...] = ()
    unit: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    gpus: str = "all"
    container: str = ""
    image: str = ""
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectorRequest:
    """Neither `command` nor `unit`: cloudflared from PATH. `environment` is added to what setup sets."""

    command: tuple[str, ...] = ()
    unit: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    metrics: str = "127.0.0.1:20241"


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """`host` is this host's name, `public` the hostname that users call.

    `weight` in percent of the load balancer's traffic, `monitor_interval` in seconds; None: as it is.
    `settings` are further configuration keys, dotted ("drain.settle", "5s"). `take_over`: a pool that
    another machine set up becomes this one's.
    """

    host: str
    public: str
    engine: EngineRequest
    connector: ConnectorRequest = field(default_factory=ConnectorRequest)
    membership: MembershipKind = MembershipKind.OWN_POOL
    api_token_file: Path | None = None
    api: str = CLOUDFLARE
    zone: str = ""
    account: str = ""
    hostname: str = ""
    tunnel: str = ""
    pool: str = ""
    weight: int | None = None
    monitor_interval: int | None = None
    ready_port: int = 8790
    config_dir: Path = Path("/etc/inferagent")
    state_dir: Path = Path("/var/lib/inferagent")
    run_dir: Path = Path("/run/inferagent")
    pool_limit: int = POOL_LIMIT
    take_over: bool = False
    keep_token: bool = False  # in the command line of a connector that is adopted
    settings: tuple[tuple[str, Setting], ...] = ()

    @property
    def zone_name(self) -> str:
        return self.zone or self.public.partition(".")[2]

    @property
    def own_hostname(self) -> str:
        """The hostname that leads to this host alone; for replicas the public one leads to all of them."""
        if self.membership is MembershipKind.REPLICA:
            return self.public
        return self.hostname or f"{self.host}.{self.zone_name}"

    @property
    def tunnel_name(self) -> str:
        shared = self.membership is MembershipKind.REPLICA
        return self.tunnel or (slug(self.public) if shared else self.host)

    @property
    def pool_name(self) -> str:
        shared = self.membership is MembershipKind.PULL
        return self.pool or (slug(self.public) if shared else self.host)

    @property
    def fallback_name(self) -> str:
        return f"{slug(self.public)}-fallback"

    @property
    def models(self) -> tuple[str, ...]:
        """The public model names that this host promises, sorted."""
        return tuple(sorted(name for name, _ in self.engine.serves))

    @property
    def credentials_dir(self) -> Path:
        return self.config_dir / "credentials"


def slug(hostname: str) -> str:
    """A hostname as a name of pools and tunnels, which take no dots."""
    return hostname.replace(".", "-")


def is_hostname(name: str) -> bool:
    """Of two labels at least: one below a zone."""
    labels = name.split(".")
    return len(labels) > 1 and all(LABEL.fullmatch(label) for label in labels)


def check_said(request: SetupRequest) -> None:
    """Raise BadRequestError for what cannot be meant whatever this host runs: to be asked before a look."""
    for complaint in _complaints(request):
        raise BadRequestError(complaint)


def check(request: SetupRequest) -> None:
    """Raise BadRequestError for the first thing that cannot be meant, after the adoption."""
    check_said(request)
    engine = request.engine
    if not engine.image and not engine.command and engine.unit in ("", OWN_ENGINE):
        raise BadRequestError(UNSAID)


def _complaints(request: SetupRequest) -> list[str]:
    found = []
    if not LABEL.fullmatch(request.host):
        found.append(
            f"cannot use the host name {request.host!r}: small letters, digits and dashes only (--host)"
        )
    found += _hostname_complaints(request)
    if not request.engine.serves:
        found.append("cannot promise nothing: name a model (--serves chat=MODEL)")
    for name, _ in request.engine.serves:
        if not re.fullmatch(r"[^\s,=]+", name):
            found.append(
                f"cannot promise the model name {name!r}: no spaces, commas or equal signs (--serves)"
            )
    found += _image_complaints(request.engine)
    found += _supervisor_complaints(request.engine)
    if urlsplit(request.engine.url).path or not urlsplit(request.engine.url).hostname:
        found.append(
            f"cannot route to {request.engine.url!r}: give scheme, host and port only (--engine-url)"
        )
    if request.connector.command and request.connector.unit not in ("", OWN_CONNECTOR):
        found.append("cannot supervise the connector: give its command or its unit, not both")
    if request.weight is not None and not 0 <= request.weight <= 100:
        found.append(f"cannot use weight {request.weight}: percent, 0 to 100 (--weight)")
    if request.membership is MembershipKind.OWN_POOL and request.api_token_file is None:
        found.append(
            "cannot set up an own pool without an API token: give --api-token-file, or --membership pull"
        )
    return found


def _image_complaints(engine: EngineRequest) -> list[str]:
    if engine.image and not DIGEST.fullmatch(engine.image):
        return [
            f"cannot use the image {engine.image}: a tag may mean another program tomorrow; name it by its "
            "digest: docker inspect --format '{{index .RepoDigests 0}}' IMAGE (--engine-image)"
        ]
    if engine.volumes and not engine.image:
        return ["cannot give folders to a container that is there: --engine-volume needs --engine-image"]
    return []


def _supervisor_complaints(engine: EngineRequest) -> list[str]:
    named = engine.unit not in ("", OWN_ENGINE)  # which needs the command as well
    if (engine.container or engine.image) and named and not container_of(engine.unit):
        return [
            "cannot run the engine by its unit and in a container: give --engine-unit or "
            f"{'--engine-image' if engine.image else '--engine-container'}, one of them"
        ]
    if engine.command and not engine.image and engine.container:
        return ["cannot give a command to a container that is there: --engine-command needs --engine-image"]
    if engine.command and not engine.image and named:
        return ["cannot supervise the engine twice: give --engine-command or --engine-unit, one of them"]
    return []


def _hostname_complaints(request: SetupRequest) -> list[str]:
    if not is_hostname(request.public):
        return [f"cannot use {request.public!r} (--public): {LIKE}"]
    found = []
    for option, name in (("--public", request.public), ("--hostname", request.own_hostname)):
        label, _, rest = name.partition(".")
        if rest != request.zone_name or not LABEL.fullmatch(label):
            found.append(
                f"cannot use {name} ({option}): it must be one name below the zone {request.zone_name}, "
                "for which the certificate holds"
            )
    if request.membership is not MembershipKind.REPLICA and request.own_hostname == request.public:
        found.append(f"cannot use {request.public} for the host and for the load balancer: give --hostname")
    return found
