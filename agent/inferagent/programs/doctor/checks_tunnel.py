"""Checks of the connector and of the rules by which it sends requests on."""

import re
from datetime import UTC, datetime

from inferagent.config.settings import Settings
from inferagent.config.terms import READY_PATH, ingress_of
from inferagent.model.desired import EngineKind
from inferagent.model.membership import MembershipKind
from inferagent.programs.doctor.looks_account import PUSHED, found
from inferagent.programs.doctor.looks_config import settings
from inferagent.programs.doctor.looks_here import CONNECTOR, STATUS, Connector
from inferagent.programs.doctor.sight import Sight
from inferagent.programs.doctor.through import TUNNELS
from inferagent.programs.doctor.values import Object, mapping, objects, text, whole
from inferagent.programs.doctor.verdict import (
    CannotTellError,
    Check,
    Hop,
    Outcome,
    fail,
    ok,
    skipped,
    unknown,
    warn,
)

SETUP = "sudo inferagent setup"
OLD = 12  # months; Cloudflare supports releases of the last year
LOCAL = ("localhost", "127.0.0.1", "[::1]")
TRUE = ("1", "true", "yes")
_VERSION = re.compile(r"(\d{4})\.(\d{1,2})\.\d+")


def restart(config: Settings) -> str:
    unit = config.connector.unit
    return (
        f"sudo systemctl restart {unit}" if unit else "inferagent status; sudo systemctl restart inferagent"
    )


async def answers(sight: Sight) -> Outcome:
    config = await settings(sight)
    try:
        await sight.see(CONNECTOR)
    except CannotTellError as error:
        status = mapping(await sight.try_see(STATUS))
        if config.membership.kind is MembershipKind.REPLICA and text(status, "phase") == "out":
            return unknown(f"the connector is stopped, the host is out: {text(status, 'sentence')}")
        host, port = config.connector.metrics
        return fail(
            f"the connector does not answer: {error}",
            f"{restart(config)}; its metrics port must be pinned (TUNNEL_METRICS={host}:{port})",
        )
    return ok("its metrics server answers")


async def whose(sight: Sight) -> Outcome:
    config, seen = await settings(sight), await sight.see(CONNECTOR)
    own = config.connector.tunnel
    if not own or not seen.tunnel:
        return skipped("the tunnel is not named on both sides")
    if seen.tunnel != own:
        return fail(
            f"the connector runs tunnel {seen.tunnel}, the configuration names {own}",
            f"{SETUP}; is another cloudflared at this metrics port?",
        )
    return ok(f"tunnel {own}")


async def connections(sight: Sight) -> Outcome:
    config, seen = await settings(sight), await sight.see(CONNECTOR)
    if not seen.connections:
        return fail(
            "the connector has no connection to Cloudflare",
            f"{restart(config)}; journalctl -u {config.connector.unit or 'inferagent'} -n 50",
        )
    if seen.connections == 1:
        return warn("one connection, so no spare one", f"{restart(config)}, when drained")
    return ok(f"{seen.connections} connections")


async def version(sight: Sight) -> Outcome:
    found_version = (await sight.see(CONNECTOR)).version
    parts = _VERSION.fullmatch(found_version)
    if parts is None:
        return skipped(f"cannot read the version {found_version!r}")
    today = datetime.now(UTC)
    months = (today.year - int(parts[1])) * 12 + today.month - int(parts[2])
    if months > OLD:
        return warn(
            f"cloudflared {found_version} is {months} months old, Cloudflare supports one year",
            "sudo apt-get install --only-upgrade cloudflared, or sudo dnf upgrade cloudflared",
        )
    return ok(f"cloudflared {found_version}")


async def updates(sight: Sight) -> Outcome:
    """An update by itself restarts it under open requests."""
    connector = (await settings(sight)).connector
    if connector.unit:
        return skipped("its unit says that, not this configuration")
    off = dict(connector.environment).get("NO_AUTOUPDATE", "").lower() in TRUE
    if not off and "--no-autoupdate" not in connector.command:
        return warn(
            "cloudflared updates itself, and restarts under open requests",
            f'write NO_AUTOUPDATE = "true" into [connector] environment, or {SETUP}',
        )
    return ok("cloudflared does not update itself")


async def rules(sight: Sight) -> Outcome:
    """What is in use must begin with the ready URL and this host's engine, in that order."""
    config, seen = await settings(sight), await sight.see(CONNECTOR)
    wrong = misrouted(config, seen)
    return fail(wrong, f"{SETUP}, or {TUNNELS}: Public Hostnames") if wrong else ok("ready URL, then engine")


def misrouted(config: Settings, seen: Connector) -> str:
    """ "" or the first thing that is wrong with the rules."""
    name, (ready, engine) = config.connector.hostname, ingress_of(config)
    if not seen.rules or seen.config_version < 0:
        return "the connector has no rules yet: every request gets 503"
    reaching = [rule for rule in seen.rules if _matches(text(rule, "hostname"), name)]
    named = [rule for rule in reaching if text(rule, "hostname")]
    if not named:
        return f"no rule names {name}: the catch-all answers"
    first = named[0]
    at_ready = next((rule for rule in named if text(rule, "path") == READY_PATH), None)
    to_engine = next((rule for rule in named if not text(rule, "path")), None)
    if at_ready is None:
        return "the ready URL has no rule: the monitor asks the engine"
    if first is not at_ready:
        shadow = text(first, "path") or "any path"
        return f"wrong order: the rule for {shadow} stands before the one of the ready URL"
    if _elsewhere(text(at_ready, "service"), ready.service):
        return f"the ready URL leads to {text(at_ready, 'service')}, it is at {ready.service}"
    if to_engine is None:
        return f"no rule leads from {name} to the engine"
    if _elsewhere(text(to_engine, "service"), engine.service):
        return f"{name} leads to {text(to_engine, 'service')}, the engine is at {engine.service}"
    return ""


def _matches(pattern: str, name: str) -> bool:
    wild = pattern.startswith("*.") and name.endswith(pattern[1:])
    return pattern in ("", "*", name) or wild


def _elsewhere(service: str, wanted: str) -> bool:
    for local in LOCAL:
        service = service.replace(f"//{local}", "//127.0.0.1")
        wanted = wanted.replace(f"//{local}", "//127.0.0.1")
    return service.rstrip("/") != wanted.rstrip("/")


async def pushed(sight: Sight) -> Outcome:
    """cloudflared refuses a configuration whole, and says so nowhere but in its log."""
    seen, there = await sight.see(CONNECTOR), mapping(await found(sight, PUSHED))
    number, rules_there = whole(there, "version", -1), objects(mapping(there.get("config")).get("ingress"))
    if [_core(rule) for rule in rules_there] != [_core(rule) for rule in seen.rules]:
        return fail(
            f"the connector uses version {seen.config_version} and refused {number}, the account's",
            f"{TUNNELS}: a service must be a bare address, without a path or a trailing /",
        )
    return ok(f"version {seen.config_version} is in use")


def _core(rule: Object) -> tuple[str, str, str]:
    return text(rule, "hostname"), text(rule, "path"), text(rule, "service")


async def guarded(sight: Sight) -> Outcome:
    """cloudflared itself would answer the monitor 403."""
    config, seen = await settings(sight), await sight.see(CONNECTOR)
    for rule in seen.rules:
        required = mapping(_options(rule).get("access")).get("required") is True
        if (
            required
            and text(rule, "path") == READY_PATH
            and text(rule, "hostname") == config.connector.hostname
        ):
            return fail(
                "the rule of the ready URL asks for Access: the monitor gets 403",
                f"{TUNNELS}: Protect with Access off for {READY_PATH}",
            )
    return ok("the monitor needs no login")


async def host_header(sight: Sight) -> Outcome:
    config, seen = await settings(sight), await sight.see(CONNECTOR)
    if config.only_engine.kind is not EngineKind.OLLAMA:
        return skipped("vLLM takes any Host header")
    for rule in seen.rules:
        if text(rule, "hostname") == config.connector.hostname and not text(rule, "path"):
            header = text(_options(rule), "httpHostHeader")
            if header.partition(":")[0] not in LOCAL:
                return fail(
                    f"Ollama gets the Host header {header or config.connector.hostname} and answers 403",
                    f"{SETUP}, or {TUNNELS}: HTTP Host Header = localhost",
                )
    return ok("localhost")


def _options(rule: Object) -> Object:
    return mapping(rule.get("originRequest"))


UP = ("connector.answers",)
CHECKS = (
    Check("connector.answers", Hop.TUNNEL, "the connector runs", answers, ("config.valid",)),
    Check(
        "connector.tunnel", Hop.TUNNEL, "it runs this host's tunnel", whose, (*UP, "credentials.tunnel-token")
    ),
    Check(
        "connector.connections",
        Hop.TUNNEL,
        "it is connected",
        connections,
        (*UP, "dns.edge", "edge.port", "account.tunnel", "credentials.tunnel-token"),
    ),
    Check("connector.version", Hop.TUNNEL, "it is recent", version, UP),
    Check("connector.updates", Hop.TUNNEL, "it stays as it is", updates, ("config.valid",)),
)
INGRESS_CHECKS = (
    Check(
        "ingress.rules",
        Hop.INGRESS,
        "its rules, in order",
        rules,
        ("connector.connections", "connector.tunnel"),
    ),
    Check(
        "ingress.pushed",
        Hop.INGRESS,
        "they are the account's",
        pushed,
        ("ingress.rules", "account.permissions"),
    ),
    Check("ingress.access", Hop.INGRESS, "the ready URL is open", guarded, ("ingress.rules",)),
    Check(
        "ingress.host-header", Hop.HOST_HEADER, "the engine takes the name", host_header, ("ingress.rules",)
    ),
)
