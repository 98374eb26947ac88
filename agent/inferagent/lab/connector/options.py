"""The command line and the environment, as far as they matter; wrong ones end as the real program does."""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VERSION = "2026.8.2"
MAX_GRACE_S = 180.0


class EarlyExitError(Exception):
    """The program ends here, with this exit code and this text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Token:
    account: str
    secret: bytes
    tunnel: uuid.UUID


@dataclass(frozen=True, slots=True)
class Options:
    command: str
    token: Token | None = None
    edge: tuple[tuple[str, int], ...] = ()
    cacert: str = ""
    metrics: str = ""
    grace_s: float = 30.0
    retries: int = 5
    json_logs: bool = False
    name_server: str = ""
    pidfile: str = ""
    shown: tuple[tuple[str, str], ...] = ()
    short: bool = False


# Flag to environment variable; True for flags that take no value.
FLAGS: dict[str, tuple[str, bool]] = {
    "--edge": ("TUNNEL_EDGE", False),
    "--cacert": ("TUNNEL_CACERT", False),
    "--metrics": ("TUNNEL_METRICS", False),
    "--grace-period": ("TUNNEL_GRACE_PERIOD", False),
    "--protocol": ("TUNNEL_TRANSPORT_PROTOCOL", False),
    "--edge-ip-version": ("TUNNEL_EDGE_IP_VERSION", False),
    "--output": ("TUNNEL_LOG_OUTPUT", False),
    "--loglevel": ("TUNNEL_LOGLEVEL", False),
    "--pidfile": ("TUNNEL_PIDFILE", False),
    "--retries": ("TUNNEL_RETRIES", False),
    "--config": ("", False),
    "--token": ("TUNNEL_TOKEN", False),
    "--token-file": ("TUNNEL_TOKEN_FILE", False),
    "--no-autoupdate": ("NO_AUTOUPDATE", True),
    "--no-prechecks": ("TUNNEL_NO_PRECHECKS", True),
    "--management-diagnostics": ("TUNNEL_MANAGEMENT_DIAGNOSTICS", True),
    "--short": ("", True),
    "-s": ("", True),
}
# Of the flags on the command line; what the environment says is not shown.
SHOWN = (
    "--cacert",
    "--edge",
    "--edge-ip-version",
    "--grace-period",
    "--loglevel",
    "--metrics",
    "--no-autoupdate",
    "--no-prechecks",
    "--protocol",
    "--retries",
)


def read_options(arguments: list[str], environment: Mapping[str, str]) -> Options:
    """Raises EarlyExitError."""
    if arguments[:1] in (["--version"], ["-v"], ["version"]):
        return Options("version", short="--short" in arguments or "-s" in arguments)
    if arguments[:1] != ["tunnel"]:
        raise EarlyExitError(
            0, "NAME:\n   connector - a stand-in for cloudflared\n\nUSAGE:\n   connector tunnel [options] run"
        )
    given, words, told = _split(arguments[1:], environment)
    command = words[0] if words else ""
    if command == "ready":
        return Options("ready", metrics=_last(given, "--metrics"))
    if command != "run":
        raise EarlyExitError(
            0, f"cannot run {' '.join(words) or 'nothing'!r}: run, ready and version are known"
        )
    return Options(
        command="run",
        token=_token(_last(given, "--token"), _last(given, "--token-file")),
        edge=_addresses(given.get("--edge", [])),
        cacert=_last(given, "--cacert"),
        metrics=_last(given, "--metrics"),
        grace_s=_grace(_last(given, "--grace-period") or "30s"),
        retries=int(_last(given, "--retries") or 5),
        json_logs=_last(given, "--output") == "json",
        name_server=environment.get("LAB_DNS", ""),
        pidfile=_last(given, "--pidfile"),
        shown=tuple((name.lstrip("-"), ",".join(given[name])) for name in SHOWN if name in told),
    )


def _split(
    arguments: list[str], environment: Mapping[str, str]
) -> tuple[dict[str, list[str]], list[str], frozenset[str]]:
    """Flags with their values (the command line wins over the environment), the words between, and which
    flags the command line names."""
    given: dict[str, list[str]] = {}
    words: list[str] = []
    left = list(arguments)
    while left:
        name, equals, value = left.pop(0).partition("=")
        if not name.startswith("-"):
            words.append(name)
            continue
        if name not in FLAGS:
            # The real program prints its help and ends well.
            raise EarlyExitError(0, f"cannot understand the flag {name}")
        if not FLAGS[name][1] and not equals:
            if not left:
                raise EarlyExitError(0, f"cannot understand the flag {name} without a value")
            value = left.pop(0)
        given.setdefault(name, []).append(value or "true")
    told = frozenset(given)
    for name, (variable, _) in FLAGS.items():
        if name not in given and environment.get(variable):
            value = environment[variable]
            given[name] = value.split(",") if name == "--edge" else [value]
    return given, words, told


def _last(given: dict[str, list[str]], name: str) -> str:
    return given.get(name, [""])[-1]


def _addresses(texts: list[str]) -> tuple[tuple[str, int], ...]:
    found = []
    for text in texts:
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit():
            raise EarlyExitError(1, f"cannot read the edge address {text!r}: it is HOST:PORT")
        found.append((host, int(port)))
    return tuple(found)


def _token(text: str, file: str) -> Token:
    if not text and file:
        try:
            text = Path(file).read_text().strip()
        except OSError as error:
            raise EarlyExitError(255, f"cannot read the token file: {error}") from error
    if not text:
        raise EarlyExitError(255, "cannot run a tunnel without a token")
    try:
        parts = json.loads(base64.b64decode(text, validate=True))
        return Token(str(parts["a"]), base64.b64decode(parts["s"]), uuid.UUID(parts["t"]))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise EarlyExitError(255, "cannot use the token: it is not valid") from error


def _grace(text: str) -> float:
    """A Go duration: 30s, 1m30s, 500ms. Raises EarlyExitError."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise EarlyExitError(0, f"cannot read the grace period {text!r}")
    seconds = sum(float(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit] for number, unit in parts)
    if seconds > MAX_GRACE_S:
        raise EarlyExitError(1, "cannot wait that long: the grace period is 3m at most")
    return seconds
