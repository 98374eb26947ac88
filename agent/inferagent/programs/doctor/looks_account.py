"""Looks at the account: the token, and every object that this host's membership rests on. Reads only."""

import secrets
from dataclasses import dataclass
from typing import Any

from inferagent.adapters.clock import BootClock
from inferagent.adapters.cloudflare.client import ApiError, Call, Client
from inferagent.programs.doctor.looks_config import API_SECRET, settings
from inferagent.programs.doctor.sight import Look, Sight
from inferagent.programs.doctor.values import Object, mapping, objects, text
from inferagent.programs.doctor.verdict import CannotTellError, NotHereError

DEADLINE = 3.5
NOT_MINE = (
    400,
    401,
)  # a token that the account owns is unknown to the first address, and the other way round
FORBIDDEN = (401, 403)
TOO_MANY, ILL = 429, 500
BUSY = "wait five minutes: Cloudflare lets a user call 1200 times in that time; cloudflarestatus.com"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API answered no; `status` is HTTP's."""

    status: int
    why: str


@dataclass(frozen=True, slots=True)
class Token:
    """What the API says about the token that asks. `path` leads to more about it."""

    status: str
    expires_on: str
    path: str


async def _client(sight: Sight) -> Client:
    token, base = await sight.see(API_SECRET), (await settings(sight)).membership.api
    client = Client(base, token.reveal(), clock=BootClock(), random=secrets.SystemRandom().random)
    sight.at_end(client.close)
    return client


CLIENT = Look("open the API", _client)


async def _ask(sight: Sight, what: str, path: str, params: dict[str, str] | None = None) -> Any:
    client = await sight.see(CLIENT)
    bound = min(DEADLINE, sight.left())
    try:
        return await client.call(Call(what, "GET", path, params=params, deadline=bound))
    except ApiError as error:
        if error.status == TOO_MANY or error.status >= ILL:
            raise CannotTellError(str(error), BUSY) from error
        return Refusal(error.status, str(error))


async def _token(sight: Sight) -> Token | Refusal:
    account = (await settings(sight)).membership.account
    places = ("/user/tokens", f"/accounts/{account}/tokens")
    refusal = Refusal(0, "")
    for place in places:
        found = await _ask(sight, "verify the API token", f"{place}/verify")
        if not isinstance(found, Refusal):
            said = mapping(found)
            return Token(text(said, "status"), text(said, "expires_on"), f"{place}/{text(said, 'id')}")
        refusal = refusal if refusal.status else found
        if found.status not in NOT_MINE:
            break
    return refusal


TOKEN = Look("verify the API token", _token)


async def _granted(sight: Sight, what: str, path: str, params: dict[str, str] | None = None) -> Any:
    """The same, once the token is known to be good: a refusal is then about this object alone."""
    if isinstance(await sight.see(TOKEN), Refusal):
        raise CannotTellError("the API token is refused")
    return await _ask(sight, what, path, params)


async def _policies(sight: Sight) -> tuple[str, ...] | Refusal:
    """The names of the permission groups of the token; most tokens may not read them."""
    token = await sight.see(TOKEN)
    if isinstance(token, Refusal):
        return token
    found = await _ask(sight, "read the token's rights", token.path)
    if isinstance(found, Refusal):
        return found
    allowed = [
        policy for policy in objects(mapping(found).get("policies")) if policy.get("effect") == "allow"
    ]
    return tuple(
        text(group, "name") for policy in allowed for group in objects(policy.get("permission_groups"))
    )


RIGHTS = Look("read the token's rights", _policies)


async def _zone(sight: Sight) -> Any:
    own = (await settings(sight)).membership
    return await _granted(sight, "read the zone", f"/zones/{own.zone}")


ZONE = Look("read the zone", _zone)


async def _pools(sight: Sight) -> Any:
    own = (await settings(sight)).membership
    return await _granted(sight, "read the pools", f"/accounts/{own.account}/load_balancers/pools")


POOLS = Look("read the pools", _pools)


async def _balancer(sight: Sight) -> Any:
    own = (await settings(sight)).membership
    path = f"/zones/{own.zone}/load_balancers/{own.load_balancer}"
    return await _granted(sight, "read the load balancer", path)


BALANCER = Look("read the load balancer", _balancer)


async def _tunnel(sight: Sight) -> Any:
    config = await settings(sight)
    if not config.connector.tunnel:
        raise NotHereError("the configuration names no tunnel")
    path = f"/accounts/{config.membership.account}/cfd_tunnel/{config.connector.tunnel}"
    return await _granted(sight, "read the tunnel", path)


TUNNEL = Look("read the tunnel", _tunnel)


async def _pushed(sight: Sight) -> Any:
    config = await settings(sight)
    path = f"/accounts/{config.membership.account}/cfd_tunnel/{config.connector.tunnel}/configurations"
    return await _granted(sight, "read the tunnel's configuration", path)


PUSHED = Look("read the tunnel's configuration", _pushed)


async def _records(sight: Sight) -> Any:
    config = await settings(sight)
    path = f"/zones/{config.membership.zone}/dns_records"
    return await _granted(sight, "read the DNS record", path, {"name": config.connector.hostname})


RECORDS = Look("read the DNS record", _records)


async def _monitor(sight: Sight) -> Any:
    own, pool = (await settings(sight)).membership, await own_pool(sight)
    monitor = text(pool, "monitor")
    if not monitor:
        raise NotHereError("the pool has no monitor")
    path = f"/accounts/{own.account}/load_balancers/monitors/{monitor}"
    return await _granted(sight, "read the monitor", path)


MONITOR = Look("read the monitor", _monitor)


async def _health(sight: Sight) -> Any:
    own = (await settings(sight)).membership
    path = f"/accounts/{own.account}/load_balancers/pools/{own.pool}/health"
    return await _granted(sight, "read the pool's health", path)


HEALTH = Look("read the pool's health", _health)


async def found(sight: Sight, look: Look[Any]) -> Any:
    """What the look brought; NotHereError where the token may not read it, CannotTellError where gone."""
    answer = await sight.see(look)
    if not isinstance(answer, Refusal):
        return answer
    if answer.status in FORBIDDEN:
        raise NotHereError(f"the API token may not {look.name}, and need not")
    raise CannotTellError(answer.why)


async def pools(sight: Sight) -> tuple[Object, ...]:
    return objects(await found(sight, POOLS))


async def own_pool(sight: Sight) -> Object:
    own = (await settings(sight)).membership.pool
    pool = next((pool for pool in await pools(sight) if pool.get("id") == own), None)
    if pool is None:
        raise CannotTellError(f"the account has no pool {own}")
    return pool


async def balancer(sight: Sight) -> Object:
    return mapping(await found(sight, BALANCER))
