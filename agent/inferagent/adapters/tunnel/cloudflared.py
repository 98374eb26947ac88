"""cloudflared, by its metrics server: edge connections, traffic, the ingress in use, whose tunnel it runs.

A refused metrics port counts as no edge connection: cloudflared opens it before it connects and closes it
last. It says nothing of traffic, which stays unknown: a wrong address in the configuration looks the same,
and must not prove that nobody is served.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from inferagent.adapters.engine.exposition import Exposition, parse
from inferagent.adapters.local_http import Answer, LocalHttp, RefusedError
from inferagent.model.reading import NEVER, Failed, Reading, Value
from inferagent.model.tunnel import ConnectorLook, Ingress, IngressRule, Traffic
from inferagent.ports import Clock, PortError

TOTAL = ("cloudflared_tunnel_total_requests", "tunnel_total_requests")
IN_FLIGHT = (
    "cloudflared_tunnel_concurrent_requests_per_tunnel",
    "cloudflared_tunnel_concurrent_requests",
    "tunnel_concurrent_requests_per_tunnel",
)
BY_CODE = ("cloudflared_tunnel_response_by_code", "tunnel_response_by_code")
CONFIG_VERSION = ("cloudflared_orchestration_config_version",)
RULE = ("hostname", "path", "service")
NO_TUNNEL = "00000000-0000-0000-0000-000000000000"
CONFIG_EVERY = 10.0
TUNNEL_EVERY = 60.0

Left: TypeAlias = Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What does not change within one life of the connector, nor while its configuration's version stands."""

    life: str = ""
    version: float | None = None
    ingress: Reading[Ingress] = NEVER
    tunnel_id: Reading[str] = NEVER


def tunnel_of(token: str) -> str:
    """The tunnel id that a tunnel token names, "" when it is no token."""
    try:
        content = json.loads(base64.b64decode(token.strip(), validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    found = content.get("t") if isinstance(content, dict) else None
    return found if isinstance(found, str) else ""


def _errors(metrics: Exposition) -> int | None:
    """Answers with 5xx: none before the first answer, None where a line of them cannot be trusted."""
    if not metrics.whole or not metrics.doubtful.isdisjoint(BY_CODE):
        return None
    answers = metrics.find(BY_CODE)
    return int(
        sum(answer.value for answer in answers if answer.labels.get("status_code", "").startswith("5"))
    )


class Cloudflared:
    """The ConnectorPort of one cloudflared.

    `metrics` is HOST:PORT. `tunnel_id` (tunnel_of the token) stands in where the connector does not name its
    tunnel. `deadline` bounds one look in seconds.
    """

    def __init__(self, metrics: str, *, clock: Clock, tunnel_id: str = "", deadline: float = 1.5) -> None:
        self._http = LocalHttp(f"http://{metrics}")
        self._clock, self._tunnel_id, self._deadline = clock, tunnel_id, deadline
        self._kept = _Kept()
        self._config_at = self._tunnel_at = float("-inf")

    async def look(self) -> ConnectorLook:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._deadline

        def left() -> float:
            return end - loop.time()

        try:
            ready, life = await self._ready(left())
        except RefusedError as error:
            return self._refused(str(error))
        metrics, problem = await self._metrics(left())
        self._forget(life, metrics.total(*CONFIG_VERSION))
        ingress, tunnel_id = await self._ingress(left), await self._tunnel(left)
        traffic = self._traffic(metrics, problem)
        return ConnectorLook(ready, traffic, ingress, tunnel_id, metrics.label("build_info", "version"))

    async def aclose(self) -> None:
        await self._http.aclose()

    def _refused(self, reason: str) -> ConnectorLook:
        at = self._clock.now()
        ill = Failed(reason, at)
        self._kept = _Kept()
        return ConnectorLook(Value(0, at), ill, ill, ill)

    async def _ready(self, timeout: float) -> tuple[Reading[int], str]:
        """Edge connections and the connector's id; RefusedError alone is raised."""
        try:
            answer = await self._http.get("/ready", timeout)
            if answer.status not in (200, 503):
                raise PortError(f"cannot read the edge connections: /ready answers {answer.status}")
            body = answer.mapping()
            count = body.get("readyConnections")
            if type(count) is not int or count < 0:
                raise PortError("cannot read the edge connections: /ready does not count them")
        except RefusedError:
            raise
        except PortError as error:
            return Failed(str(error), self._clock.now()), ""
        count = count if answer.status == 200 else 0
        return Value(count, self._clock.now()), str(body.get("connectorId") or "")

    async def _metrics(self, timeout: float) -> tuple[Exposition, str]:
        try:
            answer = await self._http.get("/metrics", timeout)
        except PortError as error:
            return Exposition(whole=False), str(error)
        if answer.status != 200:
            return Exposition(whole=False), f"cannot read the traffic: /metrics answers {answer.status}"
        return parse(answer.body), ""

    def _traffic(self, metrics: Exposition, problem: str) -> Reading[Traffic]:
        total, flying = metrics.count(*TOTAL), metrics.count(*IN_FLIGHT)
        at = self._clock.now()
        if total is None or flying is None:
            return Failed(problem or "cannot find the requests in the connector's metrics", at)
        return Value(Traffic(total, flying, _errors(metrics)), at)

    def _forget(self, life: str, version: float | None) -> None:
        """A new life of the connector forgets both; a new or unknown version the ingress."""
        if not life or life != self._kept.life:
            self._kept = _Kept(life, version)
            self._tunnel_at = float("-inf")
        elif version is None or version != self._kept.version:
            self._kept = replace(self._kept, version=version, ingress=NEVER)

    async def _ingress(self, left: Left) -> Reading[Ingress]:
        kept, now = self._kept.ingress, self._clock.now()
        if isinstance(kept, Value) and now - self._config_at < CONFIG_EVERY:
            # The version that /metrics has just told still stands, and with it the rules.
            return Value(kept.value, now)
        reading = await self._read("/config", left(), ingress_of)
        self._config_at = now
        self._kept = replace(self._kept, ingress=reading)
        return reading

    async def _tunnel(self, left: Left) -> Reading[str]:
        """Asked once a life, and seldom where it fails: cloudflared logs two lines each time."""
        reading, now = self._kept.tunnel_id, self._clock.now()
        if not isinstance(reading, Value) and now - self._tunnel_at >= TUNNEL_EVERY:
            reading = await self._read("/diag/tunnel", left(), tunnel_named)
            self._tunnel_at = now
            self._kept = replace(self._kept, tunnel_id=reading)
        if isinstance(reading, Failed) and self._tunnel_id:
            return Value(self._tunnel_id, now)
        return replace(reading, at=now)

    async def _read(self, path: str, timeout: float, read: Callable[[Answer], Any]) -> Reading[Any]:
        try:
            answer = await self._http.get(path, timeout)
            if answer.status != 200:
                raise PortError(f"cannot read {path}: it answers {answer.status}")
            return Value(read(answer), self._clock.now())
        except PortError as error:
            return Failed(str(error), self._clock.now())


def ingress_of(answer: Answer) -> Ingress:
    """/config: rules in their order; null stands for an absent field. PortError when it is none: a rule that
    cannot be read is not missing."""
    body = answer.mapping()
    version, config = body.get("version"), body.get("config")
    rules = config.get("ingress", False) if isinstance(config, dict) else False
    if type(version) is not int or not isinstance(rules, list | None):
        raise PortError("cannot read the connector's configuration: no version or no rules")
    return Ingress(version, tuple(_rule(rule) for rule in rules or []))


def _rule(rule: object) -> IngressRule:
    if not isinstance(rule, dict):
        raise PortError("cannot read the connector's configuration: a rule is none")
    hostname, path, service = (_text(rule.get(key)) for key in RULE)
    options = rule.get("originRequest")
    host = _text(options.get("httpHostHeader")) if isinstance(options, dict) else ""
    return IngressRule(hostname, path, service, host)


def _text(value: object) -> str:
    """ "" for an absent field."""
    if not isinstance(value, str | None):
        raise PortError("cannot read the connector's configuration: a rule is none")
    return value or ""


def tunnel_named(answer: Answer) -> str:
    """/diag/tunnel; PortError where no tunnel is named (a quick tunnel has none)."""
    found = answer.mapping().get("tunnelID")
    if not isinstance(found, str) or not found or found == NO_TUNNEL:
        raise PortError("cannot read the tunnel's id: the connector names none")
    return found
