"""The reference's own reading of a configuration: what it comes to, and every reason to refuse it.

The inequalities stand here as PRODUCT.md and the shipped defaults state them, not as the program checks them.
"""

import tomllib
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.config_words import (
    CHECK,
    ENGINE,
    LOOPBACK,
    MAYBE,
    MODE,
    NO,
    TABLES,
    Key,
    can_be_called,
    check_name,
)

LARGEST = 1024 * 1024
PLACES = ("run", "state")
CHECK_KEYS = ("name", "every", "deadline", "exec")
SECRET_HOSTS = (
    "hooks.slack.com",
    "discord.com",
    "discordapp.com",
    "chat.googleapis.com",
    "webhook.office.com",
    "logic.azure.com",
)
SECRET_WORDS = ("token", "secret", "password", "passwd", "api", "key")
# (smaller, larger, may they be equal)
ORDER = (
    ("drain.settle", "drain.deadline", False),
    ("drain.settle", "drain.deadline_alone", False),
    ("drain.settle", "drain.deadline_operator", False),
    ("drain.settle", "drain.shutdown", False),
    ("drain.quiet", "drain.deadline", False),
    ("drain.deadline_alone", "drain.deadline", True),
    ("probe.look", "probe.fresh", False),
    ("probe.host", "probe.fresh", False),
    ("probe.gpus", "probe.fresh", False),
    ("probe.membership", "probe.fresh", False),
    ("probe.look", "probe.suspect_frozen", False),
    ("probe.generation_deadline", "probe.hang_frozen", False),
    ("probe.generation_deadline", "probe.hang_frozen_traffic", False),
    ("probe.suspect_frozen", "probe.hang_frozen_traffic", False),
    ("probe.hang_frozen_traffic", "probe.hang_frozen", True),
    ("limits.hold_off", "limits.hold_off_reset", True),
    ("limits.reconnect_first", "limits.reconnect_last", True),
)


@dataclass(slots=True)
class Opinion:
    """`reasons` to refuse; `unsure` where the reference leaves it to the program; `values` by dotted key."""

    reasons: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    configured: bool = True


def opinion(files: dict[str, bytes]) -> Opinion:
    """Of the files of one folder, by their names below it."""
    found = Opinion()
    names = [name for name in ("config.toml",) if name in files]
    names += sorted(name for name in files if name.startswith("conf.d/") and name.endswith(".toml"))
    merged: dict[str, Any] = {}
    for name in names:
        data = _parsed(name, files[name], found)
        odd = [table for table in TABLES if table in data and not isinstance(data[table], dict)]
        found.unsure += [f"{table} is no table in {name}" for table in odd]  # and a later file may say one
        merge(merged, data)
    found.configured = bool(names)
    if not found.reasons and names:
        _judge(merged, found)
    return found


def _parsed(name: str, content: bytes, found: Opinion) -> dict[str, Any]:
    if len(content) > LARGEST:
        found.reasons.append(f"{name} is too large")
        return {}
    try:
        data = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        found.reasons.append(f"{name}: {type(error).__name__}")
        return {}
    if _depth(data) > 50:
        found.unsure.append("deep")
    return data


def _depth(value: Any) -> int:
    deepest, open_values = 0, [(value, 1)]
    while open_values:
        inside, depth = open_values.pop()
        deepest = max(deepest, depth)
        if isinstance(inside, dict | list):
            children = inside.values() if isinstance(inside, dict) else inside
            open_values += [(child, depth + 1) for child in children]
    return deepest


def merge(into: dict[str, Any], data: dict[str, Any]) -> None:
    """Tables key by key, anything else whole."""
    work = [(into, data)]
    while work:
        old, new = work.pop()
        for key, value in new.items():
            if isinstance(value, dict) and isinstance(old.get(key), dict):
                work.append((old[key], value))
            elif isinstance(value, dict):
                old[key] = {}
                work.append((old[key], value))
            else:
                old[key] = value


def _judge(data: dict[str, Any], found: Opinion) -> None:
    _secrets(data, found)
    for name in data:
        if name not in (*TABLES, "mode", "engine", "check"):
            found.reasons.append(f"unknown {name}")
    _keys("", {"mode": MODE}, {key: value for key, value in data.items() if key == "mode"}, found)
    for name, keys in TABLES.items():
        table = data.get(name, {})
        if isinstance(table, dict):
            _keys(f"{name}.", keys, table, found)
        else:
            found.reasons.append(f"{name} is no table")
    engines = data.get("engine")
    if not isinstance(engines, list) or not all(isinstance(engine, dict) for engine in engines):
        found.reasons.append("engine is no list of tables")
        return
    if len(engines) != 1:
        found.reasons.append("not one engine")
    for index, engine in enumerate(engines):
        _keys(f"engine[{index}].", ENGINE, engine, found)
    checks = data.get("check", [])
    _check_keys(checks, found)
    if not found.reasons and not found.unsure:
        found.reasons += [*_together(found.values), *_checks(found.values, len(checks))]


def _check_keys(checks: Any, found: Opinion) -> None:
    if not isinstance(checks, list) or not all(isinstance(check, dict) for check in checks):
        found.reasons.append("check is no list of tables")
        return
    for index, check in enumerate(checks):
        _keys(f"check[{index}].", CHECK, check, found)
        every = found.values[f"check[{index}].every"]
        if "deadline" not in check and every not in (NO, MAYBE):
            found.values[f"check[{index}].deadline"] = min(10, every / 2)


def _keys(prefix: str, keys: dict[str, Key], table: dict[str, Any], found: Opinion) -> None:
    found.reasons += [f"unknown {prefix}{name}" for name in table if name not in keys]
    for name, key in keys.items():
        if name not in table:
            found.reasons += [f"{prefix}{name} is missing"] if key.default is NO else []
            found.values[prefix + name] = key.ready
            continue
        value = key.check(table[name])
        if value is NO:
            found.reasons.append(f"{prefix}{name} is wrong")
        elif value is MAYBE:
            found.unsure.append(f"{prefix}{name}")
        found.values[prefix + name] = value


def _secrets(data: Any, found: Opinion) -> None:
    """Names that the program refuses for what they may carry; which of them exactly is left to it."""
    work: list[tuple[Any, bool]] = [(data, False)]
    while work:
        value, free = work.pop()
        if isinstance(value, dict):
            names = () if free else [name for name in value if _may_be_secret(name)]
            found.unsure += [f"secret {name}" for name in names]
            work += [(inside, name == "serves") for name, inside in value.items()]
        elif isinstance(value, list):
            texts = [part for part in value if isinstance(part, str)]
            found.unsure += ["secret argument" for part in texts if _may_be_secret(part)]
            work += [(part, False) for part in value]


def _may_be_secret(text: str) -> bool:
    return any(word in text.lower() for word in SECRET_WORDS)


def _together(values: dict[str, Any]) -> list[str]:
    """Keys that are right alone."""
    wrong = [
        f"{low} is not below {high}"
        for low, high, equal in ORDER
        if values[low] > values[high] or (values[low] == values[high] and not equal)
    ]
    wrong += [f"nobody runs {part}" for part in ("engine[0]", "connector") if not _runs(values, part)]
    return [*wrong, *_folders(values), *_membership(values), *_ports(values)]


def _folders(values: dict[str, Any]) -> list[str]:
    """A socket's path takes 107 bytes; what lasts and what does not lie apart."""
    run, state = (
        [part for part in values[f"agent.{key}"].split("/") if part not in ("", ".")] for key in PLACES
    )
    double = values["agent.run"].startswith("//") and not values["agent.run"].startswith("///")
    length = len("/".join(["", *run, "operator.sock"]).encode()) + double
    wrong = ["no room for a socket's name"] if length > 107 else []
    return [*wrong, "one folder for both"] if run == state else wrong


def _runs(values: dict[str, Any], part: str) -> bool:
    """A unit, or a command with or without an environment."""
    unit, command, environment = (bool(values[f"{part}.{key}"]) for key in ("unit", "command", "environment"))
    return unit is not command and not (unit and environment)


def _membership(values: dict[str, Any]) -> list[str]:
    kind, wrong = values["membership.kind"], []
    if kind == "own-pool":
        ids = ("account", "zone", "pool", "load_balancer")
        wrong += [f"own-pool without {name}" for name in ids if not values[f"membership.{name}"]]
    if kind == "replica":
        bad = (values["idle.after"] is not None, values["membership.alone"])
        wrong += ["replica with what it cannot have"] if any(bad) else []
    api = values["membership.api"]
    host = api.partition("//")[2].partition("/")[0].partition(":")[0]
    if api.startswith("http:") and host not in LOOPBACK:
        wrong.append("the token would go out in the clear")
    return wrong


def _checks(values: dict[str, Any], count: int) -> list[str]:
    """Of the user's own checks, and of the address that messages go to."""
    wrong, called = [], []
    for index in range(count):
        name, every, deadline, argv = (values[f"check[{index}].{key}"] for key in CHECK_KEYS)
        called.append(name or argv[0].rstrip("/").rpartition("/")[2])
        wrong += ["a run would meet the next"] if deadline >= every else []
    wrong += ["no name for a check"] if any(not name or check_name(name) is NO for name in called) else []
    wrong += ["two checks of one name"] if len(set(called)) < count else []
    wrong += ["too many checks"] if count > 20 else []
    scheme, _, rest = values["notify.webhook"].partition("://")
    host = rest.partition("/")[0].partition(":")[0].lower()
    wrong += ["messages in the clear"] if scheme == "http" and host not in LOOPBACK else []
    known = any(host == one or host.endswith(f".{one}") for one in SECRET_HOSTS)
    return [*wrong, "an address that is a secret"] if known else wrong


def _ports(values: dict[str, Any]) -> list[str]:
    """Programs of this host that would listen at one port."""
    host, _, port = values["engine[0].url"].partition("//")[2].partition(":")
    listeners = [(host, int(port or 80)), values["connector.metrics"], ("127.0.0.1", values["ready.port"])]
    taken = [number for name, number in listeners if name in LOOPBACK]
    return ["a port is used twice"] if len(set(taken)) < len(taken) else []


def unusable(values: dict[str, Any]) -> list[str]:
    """Addresses of an accepted configuration that no client could call."""
    host, port = values["connector.metrics"]
    texts = (values["engine[0].url"], values["membership.api"], f"http://{host}:{port}")
    return [f"{text!r} cannot be called" for text in texts if not can_be_called(text)]
