"""config.toml as setup writes it: its own keys set, everything else in an existing file kept as it is."""

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError
from tomlkit.items import AoT, Table

from inferagent.config.known import gpu_list
from inferagent.config.secrets import TUNNEL_TOKEN
from inferagent.config.settings import OWN_CONNECTOR
from inferagent.model.membership import MembershipKind
from inferagent.programs.setup.objects import Ids
from inferagent.programs.setup.request import SetupRequest

CLOUDFLARED = ("cloudflared", "tunnel", "run")


class BadFileError(Exception):
    """The existing configuration cannot be read as TOML."""


def config_text(request: SetupRequest, existing: str | None, ids: Ids, interval: int | None) -> str:
    """The whole file. `interval` is the monitor's, in seconds, None where setup does not know it."""
    try:
        document = tomlkit.parse(existing) if existing is not None else _fresh()
        for path, value in _settings(request, ids, interval):
            _set(document, path, value)
        _set_engine(document, _engine(request))
        _drop_stale(document, request)
    except (ParseError, TOMLKitError) as error:
        raise BadFileError(f"cannot read {request.config_dir / 'config.toml'}: {error}") from error
    return tomlkit.dumps(document)


def _fresh() -> tomlkit.TOMLDocument:
    document = tomlkit.document()
    document.add(
        tomlkit.comment("Written by `inferagent setup`; every key is explained by `man inferagent.toml`.")
    )
    return document


def _settings(request: SetupRequest, ids: Ids, interval: int | None) -> list[tuple[tuple[str, ...], Any]]:
    pairs: list[tuple[tuple[str, ...], Any]] = [
        (("mode",), "act"),
        (("agent", "state"), str(request.state_dir)),
        (("agent", "run"), str(request.run_dir)),
        (("host", "name"), request.host),
        *((("connector", key), value) for key, value in _connector(request, ids).items()),
        *((("membership", key), value) for key, value in _membership(request, ids, interval).items()),
        (("ready", "port"), request.ready_port),
    ]
    return pairs + [(tuple(key.split(".")), value) for key, value in request.settings]


def _engine(request: SetupRequest) -> dict[str, Any]:
    engine = request.engine
    unit: dict[str, Any] = {"unit": engine.unit} if engine.unit else {}
    if engine.command:
        unit["command"] = list(engine.command)
    if engine.image:
        unit["image"] = engine.image
    if engine.volumes:
        unit["volumes"] = list(engine.volumes)
    environment = {"environment": _inline(dict(engine.environment))} if engine.environment else {}
    return {
        "kind": engine.kind.value,
        "url": engine.url,
        **unit,
        **environment,
        "gpus": gpu_list(engine.gpus) or engine.gpus,
        "serves": _inline(dict(engine.serves)),
    }


def _connector(request: SetupRequest, ids: Ids) -> dict[str, Any]:
    connector = request.connector
    found: dict[str, Any] = {
        "metrics": connector.metrics,
        "hostname": request.own_hostname,
        **({"tunnel": ids["tunnel"]} if "tunnel" in ids else {}),
    }
    if connector.unit == OWN_CONNECTOR:
        command = {"command": list(connector.command)} if connector.command else {}
        environment = {"environment": _inline(dict(connector.environment))} if connector.environment else {}
        return {**found, "unit": connector.unit, **command, **environment}
    if connector.unit:
        return {**found, "unit": connector.unit}
    environment = {
        "TUNNEL_TOKEN_FILE": str(request.credentials_dir / TUNNEL_TOKEN),
        "TUNNEL_METRICS": connector.metrics,
        "NO_AUTOUPDATE": "true",
        "HOME": str(request.state_dir),  # a file in a person's home would be read beside the token
        **dict(connector.environment),
    }
    return {
        **found,
        "command": list(connector.command or CLOUDFLARED),
        "environment": _inline(environment),
    }


def _membership(request: SetupRequest, ids: Ids, interval: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": request.membership.value}
    if request.membership is MembershipKind.OWN_POOL:
        found |= {key: ids[key] for key in ("account", "zone", "pool", "load_balancer")}
        found["api"] = request.api
    if interval is not None:
        found["monitor_bound"] = f"{2 * interval + 10}s"
    return found


def _inline(pairs: Mapping[str, str]) -> Any:
    table = tomlkit.inline_table()
    table.update(pairs)
    return table


def _set(document: tomlkit.TOMLDocument, path: tuple[str, ...], value: Any) -> None:
    """Set one key; a value that is equal already stays as it was written."""
    *tables, key = path
    place: Any = document
    for name in tables:
        if name not in place:
            place[name] = tomlkit.table()
        place = place[name]
    if key not in place or _plain(place[key]) != _plain(value):
        place[key] = value


def _set_engine(document: tomlkit.TOMLDocument, wanted: dict[str, Any]) -> None:
    """The first engine; of `unit` and `command` only the wanted one stays."""
    engines = document.get("engine")
    if not isinstance(engines, AoT) or not engines:
        engines = tomlkit.aot()
        engines.append(tomlkit.table())
        document["engine"] = engines
    engine: Table = engines[0]
    for key in ("unit", "command", "environment", "image", "volumes"):
        if key not in wanted:
            engine.pop(key, None)
    for key, value in wanted.items():
        if key not in engine or _plain(engine[key]) != _plain(value):
            engine[key] = value


def _drop_stale(document: tomlkit.TOMLDocument, request: SetupRequest) -> None:
    """Keys of another choice than this one: they would contradict it."""
    gone = ["command", "environment"] if request.connector.unit else ["unit"]
    if request.connector.unit == OWN_CONNECTOR:
        gone = [key for key in gone if not getattr(request.connector, key)]
    stale = [("connector", key) for key in gone]
    if request.membership is not MembershipKind.OWN_POOL:
        stale += [("membership", key) for key in ("account", "zone", "pool", "load_balancer")]
    for table, key in stale:
        place: Any = document[table]
        place.pop(key, None)


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value
