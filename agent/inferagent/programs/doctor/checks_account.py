"""Checks of the account: does the API answer, is the token good, are the zone and the tunnel there."""

from datetime import UTC, datetime

from inferagent.programs.doctor.looks_account import (
    BALANCER,
    FORBIDDEN,
    POOLS,
    RIGHTS,
    TOKEN,
    TUNNEL,
    ZONE,
    Refusal,
    found,
)
from inferagent.programs.doctor.looks_config import API_SECRET, settings
from inferagent.programs.doctor.sight import Sight
from inferagent.programs.doctor.values import listed, mapping, text, texts
from inferagent.programs.doctor.verdict import CannotTellError, Check, Hop, Outcome, fail, ok, warn

PLACE = "dash.cloudflare.com > My Profile > API Tokens"
NEW_TOKEN = (
    f"{PLACE}: make or roll the token, then sudo inferagent setup --api-token-file FILE, and "
    "sudo systemctl restart inferagent"
)
SOON = 14  # days
WRITES = "Load Balancing: Monitors and Pools Write"
# What the token must be able to read at run time, and the permission group that gives it.
NEEDED = ((POOLS, WRITES), (BALANCER, "Load Balancers Read"))


async def api(sight: Sight) -> Outcome:
    await sight.see(API_SECRET)
    base = (await settings(sight)).membership.api
    try:
        await sight.see(TOKEN)
    except CannotTellError as error:
        return fail(
            str(error), error.cure or f"curl -sS -m 5 {base}/ips; is a proxy or a firewall in the way?"
        )
    return ok(f"{base} answers")


async def token(sight: Sight) -> Outcome:
    seen = await sight.see(TOKEN)
    if isinstance(seen, Refusal):
        return fail(seen.why, NEW_TOKEN)
    if seen.status != "active":
        return fail(f"the token is {seen.status or 'of unknown state'}", NEW_TOKEN)
    days = _days_left(seen.expires_on)
    if days is None:
        return ok("active, does not expire")
    if days < SOON:
        return warn(f"the token expires in {days} days, on {seen.expires_on[:10]}", NEW_TOKEN)
    return ok(f"active, expires on {seen.expires_on[:10]}")


def _days_left(date: str) -> int | None:
    """None for no date, or one that cannot be read."""
    try:
        end = datetime.fromisoformat(date.replace("Z", "+00:00"))
    except ValueError:
        return None
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    return (end - datetime.now(UTC)).days


async def permissions(sight: Sight) -> Outcome:
    """A right to write cannot be tried without writing; the token's policies tell it, where readable."""
    answers = [(await sight.see(look), group) for look, group in NEEDED]
    missing = [group for said, group in answers if isinstance(said, Refusal) and said.status in FORBIDDEN]
    if missing:
        return fail(f"the token lacks {listed(missing)}", f"{PLACE}: edit the token: add {listed(missing)}")
    rights = await sight.try_see(RIGHTS)
    if rights is None or isinstance(rights, Refusal):
        return ok("may read pools and load balancer; whether it may write, the first join shows")
    if WRITES.casefold() not in (name.casefold() for name in rights):
        return fail("the token may only read pools", f"{PLACE}: edit the token: add {WRITES}")
    return ok("may read and write pools")


async def zone(sight: Sight) -> Outcome:
    """Only with the name servers that Cloudflare assigned does anybody reach the zone."""
    seen = mapping(await found(sight, ZONE))
    name, status = text(seen, "name"), text(seen, "status")
    if seen.get("paused") is True:
        return fail(
            f"the zone {name} is paused", f"dash.cloudflare.com > {name} > Overview: Enable Cloudflare"
        )
    if status != "active":
        servers = listed(texts(seen.get("name_servers")))
        return fail(
            f"the zone {name} is {status or 'unknown'}: its name servers are not Cloudflare's",
            f"at the registrar of {name}: set the name servers {servers}",
        )
    return ok(f"{name} is active")


async def tunnel(sight: Sight) -> Outcome:
    named = (await settings(sight)).connector.tunnel
    answer = await sight.see(TUNNEL)
    if isinstance(answer, Refusal) and answer.status not in FORBIDDEN:
        return fail(f"the account has no tunnel {named}: {answer.why}", "sudo inferagent setup")
    seen = mapping(await found(sight, TUNNEL))
    if seen.get("deleted_at"):
        return fail(f"the tunnel {text(seen, 'name')} was deleted", "sudo inferagent setup")
    if seen.get("remote_config") is False or text(seen, "config_src") == "local":
        return fail(
            f"the tunnel {text(seen, 'name')} is configured by a file on its host",
            "one.dash.cloudflare.com > Networks > Tunnels: migrate it; or setup --tunnel NAME",
        )
    return ok(f"{text(seen, 'name')}, {text(seen, 'status') or 'there'}")


GOOD = ("account.permissions",)
CHECKS = (
    Check("account.api", Hop.ACCOUNT, "the API answers", api, ("credentials.api-token", "config.valid")),
    Check("account.token", Hop.ACCOUNT, "the API token is good", token, ("account.api",)),
    Check("account.permissions", Hop.ACCOUNT, "the API token may do it", permissions, ("account.token",)),
    Check("account.tunnel", Hop.TUNNEL, "the tunnel is there", tunnel, GOOD),
    Check("dns.zone", Hop.DNS, "Cloudflare serves the zone", zone, GOOD),
)
