"""Checks of what the load balancer holds of this host: DNS record, pool, endpoint, monitor."""

from inferagent.adapters.cloudflare.identity import MACHINE_ID, machine_identity, parse
from inferagent.model.membership import MembershipKind
from inferagent.programs.doctor.looks_account import (
    FORBIDDEN,
    HEALTH,
    MONITOR,
    RECORDS,
    Refusal,
    found,
    own_pool,
    pools,
)
from inferagent.programs.doctor.looks_config import settings
from inferagent.programs.doctor.looks_here import ASKED, STATUS
from inferagent.programs.doctor.sight import Sight
from inferagent.programs.doctor.values import Object, listed, mapping, objects, text, texts, whole
from inferagent.programs.doctor.verdict import Check, Hop, NotHereError, Outcome, fail, ok, skipped, warn
from inferagent.programs.setup.pools import READY_PATH

TUNNEL_HOST = ".cfargotunnel.com"
BALANCING = "dash.cloudflare.com > Traffic > Load Balancing"
SETUP = "sudo inferagent setup"
GOOD_CODES = ("200", "2xx")


async def record(sight: Sight) -> Outcome:
    """The host's own name as a proxied CNAME to its tunnel."""
    config = await settings(sight)
    name, wanted = config.connector.hostname, f"{config.connector.tunnel}{TUNNEL_HOST}"
    leads = [r for r in objects(await found(sight, RECORDS)) if text(r, "type") in ("A", "AAAA", "CNAME")]
    if not leads:
        return fail(f"there is no DNS record of {name}", SETUP)
    content = text(leads[0], "content")
    if content != wanted and config.connector.tunnel:
        return fail(f"{name} leads to {content}, not to this host's tunnel", SETUP)
    if leads[0].get("proxied") is not True:
        return fail(
            f"the record of {name} is not proxied: nobody can reach the tunnel by it",
            f"dash.cloudflare.com > DNS > Records: turn the proxy of {name} on, or {SETUP}",
        )
    return ok(f"{name} is a proxied CNAME to the tunnel")


async def _pool(sight: Sight) -> Object:
    if (await settings(sight)).membership.kind is not MembershipKind.OWN_POOL:
        raise NotHereError("this membership has no pool of its own")
    return await own_pool(sight)


async def there(sight: Sight) -> Outcome:
    own = (await settings(sight)).membership
    if own.kind is not MembershipKind.OWN_POOL:
        return skipped("this membership has no pool of its own")
    pool = next((pool for pool in await pools(sight) if pool.get("id") == own.pool), None)
    if pool is None:
        return fail("the pool of the configuration is gone from the account", SETUP)
    return ok(f"pool {text(pool, 'name')}")


async def endpoint(sight: Sight) -> Outcome:
    """Where the load balancer sends requests, and with which Host header."""
    config, pool = await settings(sight), await _pool(sight)
    name, entries = text(pool, "name"), objects(pool.get("origins"))
    if len(entries) != 1:
        return fail(f"pool {name} has {len(entries)} endpoints, it needs one", SETUP)
    entry, tunnel = entries[0], config.connector.tunnel
    if tunnel and text(entry, "address") != f"{tunnel}{TUNNEL_HOST}":
        return fail(f"its endpoint is {text(entry, 'address')}, not this host's tunnel", SETUP)
    hosts = texts(mapping(entry.get("header")).get("Host"))
    if hosts != (config.connector.hostname,):
        return fail(
            f"its endpoint's Host header is {listed(hosts)}, the tunnel knows {config.connector.hostname}",
            f"{SETUP}, or {BALANCING} > {name}: Host header",
        )
    if entry.get("enabled") is False:
        return fail("its endpoint is disabled", f"{BALANCING} > {name}: enable the endpoint")
    if entry.get("weight") == 0:
        return warn("its endpoint's weight is 0: it gets nothing", f"{BALANCING} > {name}: endpoint weight 1")
    return ok("its endpoint is this host's tunnel, with this host's name")


async def identity(sight: Sight) -> Outcome:
    promise = parse(text(await _pool(sight), "description"))
    here = machine_identity(sight.direction.root / MACHINE_ID.relative_to("/"))
    if promise is None or not promise.machine or not here:
        return skipped("the pool names no machine")
    if promise.machine != here:
        return fail(
            "another machine set this pool up: two agents would fight over it",
            "sudo inferagent setup --take-over, if that machine is gone for good; else --host NEWNAME",
        )
    return ok("set up by this machine")


async def enabled(sight: Sight) -> Outcome:
    """What the agent wants is what counts; a pool that is out on purpose is no fault."""
    pool, status = await _pool(sight), mapping(await sight.try_see(STATUS))
    phase, sentence = text(status, "phase"), text(status, "sentence")
    if pool.get("enabled") is not False:
        return ok("enabled")
    if phase == "serving":
        return warn(
            "the pool is disabled although the agent says that it serves",
            "inferagent resume; who else changes this pool?",
        )
    return ok(f"disabled by the agent: {sentence or phase}" if phase else "disabled")


async def monitor(sight: Sight) -> Outcome:
    """A monitor that asks for anything but the ready URL keeps a host in that cannot answer."""
    pool = await _pool(sight)
    if not text(pool, "monitor"):
        return fail(f"pool {text(pool, 'name')} has no monitor: nobody sees this host fail", SETUP)
    answer = await sight.see(MONITOR)
    if isinstance(answer, Refusal) and answer.status not in FORBIDDEN:
        return fail("the pool's monitor is gone from the account", SETUP)
    wrong = _wrong(mapping(await found(sight, MONITOR)))
    if wrong:
        return fail(f"the monitor {wrong}", f"{SETUP}, or {BALANCING} > Monitors")
    return ok(f"asks {READY_PATH} every {whole(mapping(answer), 'interval')} s")


def _wrong(seen: Object) -> str:
    """ "" or what is wrong with a monitor."""
    kind, port, path = text(seen, "type"), whole(seen, "port"), text(seen, "path")
    codes = [code.strip().lower() for code in text(seen, "expected_codes").split(",")]
    if kind != "https" or port not in (0, 443):
        return f"is {kind} at port {port}: an endpoint behind a tunnel answers https at 443 only"
    if path != READY_PATH:
        return f"asks {path or '/'} and not {READY_PATH}"
    if not any(code in GOOD_CODES for code in codes) or "5xx" in codes or "503" in codes:
        return f"takes {text(seen, 'expected_codes') or 'nothing'} for health, the ready URL says 200"
    if text(seen, "expected_body"):
        return "expects a body: the ready URL promises none"
    return ""


async def asked(sight: Sight) -> Outcome:
    """The ready program counts whoever comes with the monitor's name."""
    config = await settings(sight)
    if config.membership.kind is MembershipKind.REPLICA:
        return skipped("no monitor asks replicas")
    if config.membership.kind is MembershipKind.OWN_POOL:
        pool = await _pool(sight)
        if pool.get("enabled") is False:
            return skipped("the pool is disabled, and nobody asks a disabled one")
    seen, bound = await sight.see(ASKED), config.membership.monitor_bound
    if seen.ago is None or seen.ago > bound:
        last = "never since boot" if seen.ago is None else f"{seen.ago:.0f} s ago"
        return fail(
            f"the monitor last asked the ready URL {last}",
            f"{BALANCING} > Monitors: path {READY_PATH}, attached to this pool; does Access or a firewall "
            "rule stop it?",
        )
    return ok(f"asked {seen.ago:.0f} s ago, {seen.count} times since boot")


async def sees(sight: Sight) -> Outcome:
    """Its verdict, while the ready URL says yes."""
    pool, status = await _pool(sight), mapping(await sight.try_see(STATUS))
    if pool.get("enabled") is False:
        return skipped("the pool is disabled")
    if pool.get("healthy") is not False:
        return ok("healthy" if pool.get("healthy") else "not told yet")
    if status.get("verdict") is False:
        return ok("unhealthy, as the ready URL says")
    if text(status, "phase") == "joining":
        return ok("not yet: the host is joining")
    reasons = _reasons(mapping(await sight.try_see(HEALTH)))
    return fail(
        f"the monitor says unhealthy: {listed(reasons)}",
        f"{BALANCING} > Pools: health; inferagent doctor --only ready,access",
    )


def _reasons(health: Object) -> tuple[str, ...]:
    """Each once, whatever data centre saw it."""
    found: dict[str, None] = {}
    for centre in mapping(health.get("pop_health")).values():
        for entry in objects(mapping(centre).get("origins")):
            for facts in entry.values():
                reason = text(mapping(facts), "failure_reason")
                if reason:
                    found[f"{reason} ({mapping(facts).get('response_code', '')})"] = None
    return tuple(found) or ("no reason given",)


GOOD = ("account.permissions",)
RECORD_CHECK = Check(
    "dns.record", Hop.DNS, "the record leads to the tunnel", record, (*GOOD, "dns.zone", "account.tunnel")
)
CHECKS = (
    Check("pool.there", Hop.POOL, "the pool is there", there, GOOD),
    Check("pool.endpoint", Hop.POOL, "its endpoint is this host", endpoint, ("pool.there", "account.tunnel")),
    Check("pool.identity", Hop.POOL, "it belongs to this machine", identity, ("pool.there",)),
    Check("pool.enabled", Hop.POOL, "it is as the agent wants it", enabled, ("pool.there",)),
)
MONITOR_CHECKS = (
    Check("monitor.there", Hop.MONITOR, "it asks the ready URL", monitor, ("pool.there",)),
    Check(
        "monitor.asked",
        Hop.MONITOR,
        "it has asked lately",
        asked,
        ("monitor.there", "pool.endpoint", "ready.here", "ready.public"),
    ),
    Check("monitor.verdict", Hop.MONITOR, "it sees this host well", sees, ("monitor.asked", "ready.public")),
)
