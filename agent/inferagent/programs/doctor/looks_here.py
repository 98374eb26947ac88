"""Looks at the programs of this host: agent, connector, ready URL."""

import time
from dataclasses import dataclass
from pathlib import Path

from inferagent.adapters.engine.exposition import parse
from inferagent.adapters.hops import unix_http
from inferagent.adapters.local_http import LocalHttp
from inferagent.adapters.tunnel.cloudflared import tunnel_named
from inferagent.ports import PortError
from inferagent.programs.doctor.looks_config import loaded, settings
from inferagent.programs.doctor.sight import Look, Sight
from inferagent.programs.doctor.values import Object, mapping, objects, whole

BRIEF = 1.5  # seconds for one answer of a program on this host
CONTROL = "control.sock"


async def _status(sight: Sight) -> Object:
    return await unix_http.get((await loaded(sight)).agent.run / CONTROL, "/v1/status", BRIEF)


STATUS = Look("ask the agent", _status)


async def _standing(sight: Sight) -> tuple[Object, ...]:
    """Without those that the operator has ended."""
    document = await unix_http.get((await loaded(sight)).agent.run / CONTROL, "/v1/faults", BRIEF)
    if not isinstance(document.get("faults"), list):
        raise PortError("cannot understand the agent's list of faults")
    return objects(document["faults"])


STANDING = Look("ask the agent which faults stand", _standing)


@dataclass(frozen=True, slots=True)
class Connector:
    """What its metrics server says: `tunnel` "" where it names none, `rules` as they are in use."""

    connections: int
    version: str
    tunnel: str
    config_version: int
    rules: tuple[Object, ...]


async def _connector(sight: Sight) -> Connector:
    host, port = (await settings(sight)).connector.metrics
    http = LocalHttp(f"http://{host}:{port}")
    try:
        ready = (await http.get("/ready", BRIEF)).mapping()
        config = (await http.get("/config", BRIEF)).mapping()
        metrics = parse((await http.get("/metrics", BRIEF)).body)
        return Connector(
            connections=whole(ready, "readyConnections"),
            version=metrics.label("build_info", "version"),
            tunnel=await _tunnel(http),
            config_version=whole(config, "version", -1),
            rules=objects(mapping(config.get("config")).get("ingress")),
        )
    finally:
        await http.aclose()


CONNECTOR = Look("ask the connector", _connector)


async def _tunnel(http: LocalHttp) -> str:
    try:
        return tunnel_named(await http.get("/diag/tunnel", BRIEF))
    except PortError:
        return ""


@dataclass(frozen=True, slots=True)
class Ready:
    """`document` {} for an answer of somebody else."""

    status: int
    document: Object


async def _ready(sight: Sight) -> Ready:
    http = LocalHttp(f"http://127.0.0.1:{(await settings(sight)).ready.port}")
    try:
        answer = await http.get("/.inferagent/ready", BRIEF)
    finally:
        await http.aclose()
    try:
        document = answer.mapping()
    except PortError:
        document = {}
    return Ready(answer.status, document if "ready" in document else {})


READY = Look("ask the ready URL on this host", _ready)


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a monitor has asked the ready URL since boot, and how many seconds ago it last did."""

    count: int
    ago: float | None


async def _asked(sight: Sight) -> Asked:
    return _read_asked((await loaded(sight)).agent.run / "asked")


def _read_asked(path: Path) -> Asked:
    try:
        text, at = path.read_text("ascii"), path.stat().st_mtime
    except FileNotFoundError:
        return Asked(0, None)
    except UnicodeDecodeError as error:
        raise PortError(f"cannot read {path}: it is no number") from error
    return Asked(int(text) if text.isdigit() else 0, max(0.0, time.time() - at))


ASKED = Look("see when the monitor asked", _asked)
