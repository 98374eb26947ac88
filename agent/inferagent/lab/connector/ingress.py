"""Ingress rules: read whole or refused whole, then matched in order, the last one catching the rest."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Object = dict[str, Any]
DEFAULTS: Object = {
    "connectTimeout": 30,
    "tlsTimeout": 10,
    "tcpKeepAlive": 30,
    "noHappyEyeballs": False,
    "keepAliveTimeout": 90,
    "keepAliveConnections": 100,
    "httpHostHeader": "",
    "originServerName": "",
    "matchSNItoHost": False,
    "caPool": "",
    "noTLSVerify": False,
    "disableChunkedEncoding": False,
    "bastionMode": False,
    "proxyAddress": "127.0.0.1",
    "proxyPort": 0,
    "proxyType": "",
    "ipRules": None,
    "http2Origin": False,
    "access": {"teamName": "", "audTag": None},
}


class PushRefusedError(ValueError):
    """A configuration that is not taken; the old one stays."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`status`: answered here with that; otherwise the request goes to `service`."""

    hostname: str = ""
    path: str = ""
    service: str = "http_status:503"
    status: int = 503
    settings: Object = field(default_factory=lambda: dict(DEFAULTS))
    pattern: re.Pattern[str] | None = None

    @property
    def host_header(self) -> str:
        return str(self.settings.get("httpHostHeader") or "")

    def matches(self, host: str, path: str) -> bool:
        named = self.hostname in ("", "*") or self.hostname == host
        wild = self.hostname.startswith("*.") and host.endswith(self.hostname[1:])
        return (named or wild) and (self.pattern is None or self.pattern.search(path) is not None)

    def as_json(self) -> Object:
        return {
            "hostname": self.hostname,
            "path": self.path or None,
            "service": self.service,
            "Handlers": None,
            "originRequest": self.settings,
        }


NO_RULES = (Rule(),)


@dataclass(slots=True)
class Configuration:
    """Version -1 until something was pushed; then every request is answered 503."""

    version: int = -1
    rules: tuple[Rule, ...] = NO_RULES
    defaults: Object = field(default_factory=lambda: dict(DEFAULTS))

    def update(self, version: int, config: Object) -> None:
        """Take a push whole. Raises PushRefusedError; a version that is not newer changes nothing."""
        if version <= self.version:
            return
        defaults = DEFAULTS | (config.get("originRequest") or {})
        rules = _rules(config.get("ingress") or [], defaults)
        self.version, self.rules, self.defaults = version, rules or NO_RULES, defaults

    def match(self, host: str, path: str) -> Rule:
        name = host.partition(":")[0]
        return next((rule for rule in self.rules if rule.matches(name, path)), self.rules[-1])

    def as_json(self) -> Object:
        return {
            "version": self.version,
            "config": {
                "ingress": [rule.as_json() for rule in self.rules],
                "warp-routing": {},
                "originRequest": self.defaults,
            },
        }


def _rules(entries: list[Object], defaults: Object) -> tuple[Rule, ...]:
    return tuple(
        _rule(entry, number, number == len(entries), defaults) for number, entry in enumerate(entries, 1)
    )


def _rule(entry: Object, number: int, last: bool, defaults: Object) -> Rule:
    hostname, path = str(entry.get("hostname") or ""), str(entry.get("path") or "")
    catches_all = hostname in ("", "*") and not path
    if ":" in hostname:
        raise PushRefusedError(f"cannot take rule {number}: a port in its hostname")
    if hostname.rfind("*") > 0:
        raise PushRefusedError(f"cannot take rule {number}: a wildcard that is not at the start")
    if last and not catches_all:
        raise PushRefusedError(f"cannot take rule {number}: the last one has to catch every request")
    if catches_all and not last:
        raise PushRefusedError(f"cannot take rule {number}: it catches every request before the last rule")
    try:
        pattern = re.compile(path) if path else None
    except re.error as error:
        raise PushRefusedError(f"cannot take rule {number}: its path is no pattern ({error})") from error
    service = str(entry.get("service") or "")
    settings = defaults | (entry.get("originRequest") or {})
    return Rule(hostname, path, service, _status(service), settings, pattern)


def _status(service: str) -> int:
    """The status of an http_status service, 0 for an address. Raises PushRefusedError."""
    kind, colon, rest = service.partition(":")
    if kind == "http_status" and colon:
        if not rest.isdigit() or not 100 <= int(rest) <= 999:
            raise PushRefusedError(f"cannot answer with the status {rest}")
        return int(rest)
    parts = urlsplit(service)
    if not parts.scheme or not parts.hostname:
        raise PushRefusedError(f"cannot reach {service}: it has no scheme or no host")
    if parts.path:
        raise PushRefusedError(f"cannot reach {service}: an address with a path")
    if parts.scheme not in ("http", "https"):
        raise PushRefusedError(f"cannot reach {service}: nothing that this stand-in knows")
    return 0
