"""Make the adapters of one host from its settings."""

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from inferagent.adapters.clock import BootClock
from inferagent.adapters.cloudflare.budget import Budget, share_for
from inferagent.adapters.cloudflare.budget_file import BudgetFile
from inferagent.adapters.cloudflare.client import Client
from inferagent.adapters.cloudflare.identity import machine_identity
from inferagent.adapters.cloudflare.own_pool import OwnPool, Place
from inferagent.adapters.engine.ollama import OllamaEngine
from inferagent.adapters.engine.port_owner import PortOwner
from inferagent.adapters.engine.vllm import VllmEngine
from inferagent.adapters.event_file import EventFile
from inferagent.adapters.gpu.report import GpuReportFile
from inferagent.adapters.host import HostReadings
from inferagent.adapters.membership_pull import PullMembership
from inferagent.adapters.membership_replica import ReplicaMembership
from inferagent.adapters.saved_state import StateFolder
from inferagent.adapters.tunnel.cloudflared import Cloudflared, tunnel_of
from inferagent.adapters.units.child import ChildUnit
from inferagent.adapters.units.command import Command, Manners
from inferagent.adapters.verdict_file import VerdictFile
from inferagent.config.durations import parse_duration
from inferagent.config.load import Loaded
from inferagent.config.secrets import API_TOKEN, TUNNEL_TOKEN, SecretError, read_secret
from inferagent.config.settings import Connector, Engine, Settings
from inferagent.model.desired import EngineKind, Mode
from inferagent.model.membership import MembershipKind
from inferagent.model.reading import known
from inferagent.model.unit import Part
from inferagent.ports import EnginePort, MembershipPort, PortOwnerPort, UnitPort
from inferagent.runtime.board import Board

BAD_CONFIGURATION = 78
LONGEST_GRACE, SPARE = 180.0, 5.0


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything outside the core, ready to be wired."""

    clock: BootClock
    units: dict[Part, UnitPort]
    engine: EnginePort
    port_owner: PortOwnerPort
    connector: Cloudflared
    membership: MembershipPort
    host: HostReadings
    gpus: GpuReportFile
    state: StateFolder
    verdict: VerdictFile
    events: EventFile


def make(loaded: Loaded, settings: Settings, board: Board) -> Parts:
    """Raises SecretError for a missing credential."""
    clock, run = BootClock(), loaded.agent.run
    return Parts(
        clock=clock,
        units={
            Part.ENGINE: _unit(Part.ENGINE, settings.only_engine, run, clock, settings.mode),
            Part.CONNECTOR: _unit(Part.CONNECTOR, settings.connector, run, clock, settings.mode),
        },
        engine=_engine(settings, board, clock),
        port_owner=_port_owner(settings.only_engine, board, clock),
        connector=_connector(loaded, settings, clock),
        membership=_membership(loaded, settings, clock),
        host=HostReadings(clock, loaded.agent.state),
        gpus=GpuReportFile(run, clock),
        state=StateFolder(loaded.agent.state, run),
        verdict=VerdictFile(run, clock, "{}:{}".format(*engine_address(settings))),
        events=EventFile(loaded.agent.state),
    )


def _unit(part: Part, settings: Engine | Connector, run: Path, clock: BootClock, mode: Mode) -> UnitPort:
    if settings.unit:  # its library is only loaded where it is needed
        from inferagent.adapters.units.systemd import SystemdUnit
        from inferagent.adapters.units.verbs import FOLDER, Verbs

        folder = Path(os.environ.get("INFERAGENT_VERBS", FOLDER))
        return SystemdUnit(part, settings.unit, run, clock, Verbs(part, settings.unit, folder))
    environment = dict(settings.environment)
    manners = Manners(stop=grace(environment) + SPARE) if part is Part.CONNECTOR else Manners()
    if mode is Mode.OBSERVE:  # what an acting agent started before is not started again either
        manners = replace(manners, burst=0)
    return ChildUnit(Command(part.value, settings.command, environment), run, clock, manners)


def grace(environment: Mapping[str, str]) -> float:
    """Seconds that cloudflared gives requests in flight after SIGTERM; killed before, it would cut them."""
    try:
        return min(parse_duration(environment.get("TUNNEL_GRACE_PERIOD", "30s")), LONGEST_GRACE)
    except ValueError:
        return LONGEST_GRACE


def engine_address(settings: Settings) -> tuple[str, int]:
    """Host and port of the engine."""
    url = urlsplit(settings.only_engine.url)
    return url.hostname or "127.0.0.1", url.port or 80


def _engine(whole: Settings, board: Board, clock: BootClock) -> EnginePort:
    settings = whole.only_engine

    def pid() -> int:
        unit = known(board.engine_unit)
        return unit.main_pid if unit else 0

    def incarnation() -> str:
        unit = known(board.engine_unit)
        return unit.incarnation if unit else ""

    def connector() -> int:
        unit = known(board.connector_unit)
        return unit.main_pid if unit else 0

    names = tuple(public for public, _ in settings.serves)
    if settings.kind is EngineKind.VLLM:
        return VllmEngine(settings.url, names, clock=clock, pid=pid, incarnation=incarnation)
    return OllamaEngine(
        settings.url,
        names,
        clock=clock,
        pid=pid,
        incarnation=incarnation,
        connector=connector,
        wants_gpu=lambda: wants_gpu(settings.gpus, board),
        host=lambda: users_host(whole.connector.hostname, board),
    )


def _port_owner(engine: Engine, board: Board, clock: BootClock) -> PortOwner:
    return PortOwner(engine.url, clock, lambda: known(board.engine_unit), engine.unit)


def wants_gpu(gpus: tuple[int, ...] | None, board: Board) -> bool:
    """Whether a GPU is to hold the models: named in the configuration, or, with "all", seen on this host."""
    report = known(board.gpus)
    return bool(report and report.gpus) if gpus is None else bool(gpus)


def users_host(hostname: str, board: Board) -> str:
    """The Host header with which the connector passes on the users' requests, "" while that is unknown."""
    look = known(board.connector)
    ingress = known(look.ingress) if look else None
    for rule in ingress.rules if ingress else ():
        if rule.hostname == hostname and not rule.path:
            return rule.host or hostname
    return ""


def _connector(loaded: Loaded, settings: Settings, clock: BootClock) -> Cloudflared:
    token = read_secret(TUNNEL_TOKEN, loaded.folder, os.environ)
    host, port = settings.connector.metrics
    tunnel = tunnel_of(token.reveal()) if token else ""
    return Cloudflared(f"{host}:{port}", clock=clock, tunnel_id=tunnel)


def _membership(loaded: Loaded, settings: Settings, clock: BootClock) -> MembershipPort:
    kind, name, machine = settings.membership.kind, settings.host.name, machine_identity()
    if kind is MembershipKind.PULL:
        bound = settings.membership.monitor_bound
        return PullMembership(name, settings.ready.port, loaded.agent.run / "asked", clock, bound, machine)
    if kind is MembershipKind.REPLICA:
        host, port = settings.connector.metrics
        return ReplicaMembership(name, f"{host}:{port}", machine)
    token = read_secret(API_TOKEN, loaded.folder, os.environ)
    if token is None:
        raise SecretError(f"cannot find the credential {API_TOKEN}", "sudo inferagent setup")
    own = settings.membership
    jitter = random.Random().random  # noqa: S311
    store = BudgetFile(loaded.agent.run, clock.boot())
    budget = Budget(share_for(settings.probe.membership), store=store)
    client = Client(own.api, token.reveal(), clock=clock, random=jitter, budget=budget)
    return OwnPool(client, Place(own.account, own.zone, own.pool, own.load_balancer), clock)
