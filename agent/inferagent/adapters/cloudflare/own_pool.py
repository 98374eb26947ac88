"""The membership own-pool: this host's own pool in the load balancer, of which it writes `enabled` only."""

from dataclasses import dataclass
from typing import Any

from inferagent.adapters.cloudflare.client import Call, Client
from inferagent.adapters.cloudflare.identity import parse
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.ports import Clock, PortError

BALANCER_FRESH_S = 60.0  # its shape changes by setup only
BALANCER_STALE_S = 300.0
# Both end within the deadline of whoever asks (a job 8 s, a look 10 s), so that the reason is theirs to tell,
# and so that a load balancer that cannot be had leaves time for the old one to serve.
PUSH_DEADLINE_S = 7.5
READ_DEADLINE_S = 5.5
BALANCER_DEADLINE_S = 3.5

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pool stands, all by id."""

    account: str
    zone: str
    pool: str
    load_balancer: str


@dataclass(frozen=True, slots=True)
class _Balancer:
    enabled: bool
    pools: tuple[str, ...]
    at: float


class OwnPool:
    """MembershipPort. A push is one call and nothing before it: the connection is warm from the readings."""

    def __init__(self, client: Client, place: Place, clock: Clock) -> None:
        self._client = client
        self._place = place
        self._clock = clock
        self._pools = f"/accounts/{place.account}/load_balancers/pools"
        self._kept: _Balancer | None = None

    async def read(self) -> MembershipView:
        pools = await self._client.call(Call("read the pools", "GET", self._pools, deadline=READ_DEADLINE_S))
        return view(_objects(pools), await self._balancer(), self._place.pool)

    async def push(self, member: bool) -> None:
        verb = "enable" if member else "disable"
        await self._client.call(
            Call(
                f"{verb} the pool",
                "PATCH",
                f"{self._pools}/{self._place.pool}",
                body={"enabled": member},
                leaving=not member,
                deadline=PUSH_DEADLINE_S,
            )
        )

    async def _balancer(self) -> _Balancer:
        """The load balancer, read again once a minute; an old one serves where a new one cannot be had."""
        now = self._clock.now()
        if self._kept and now - self._kept.at <= BALANCER_FRESH_S:
            return self._kept
        path = f"/zones/{self._place.zone}/load_balancers/{self._place.load_balancer}"
        try:
            found = await self._client.call(
                Call("read the load balancer", "GET", path, deadline=BALANCER_DEADLINE_S)
            )
        except PortError:
            if self._kept and now - self._kept.at <= BALANCER_STALE_S:
                return self._kept
            raise
        self._kept = _balancer(found, now)
        return self._kept


def _balancer(found: object, now: float) -> _Balancer:
    if not isinstance(found, dict):
        raise PortError("cannot read the load balancer: the answer is no object")
    pools = found.get("default_pools")
    names = tuple(str(pool) for pool in pools) if isinstance(pools, list) else ()
    return _Balancer(found.get("enabled") is not False, names, now)


def _objects(pools: object) -> dict[str, Object]:
    if not isinstance(pools, list):
        raise PortError("cannot read the pools: the answer is no list")
    return {str(pool.get("id")): pool for pool in pools if isinstance(pool, dict)}


def view(pools: dict[str, Object], balancer: _Balancer, own: str) -> MembershipView:
    """The default pools as endpoints in their order. A fallback pool of its own is none of them."""
    if own not in pools:
        raise PortError(f"cannot find this host's pool {own} (run `inferagent setup`)")
    if own not in balancer.pools:
        raise PortError(
            f"cannot find pool {pools[own].get('name')} in the load balancer (run `inferagent setup`)"
        )
    endpoints = {
        key: _endpoint(pools[key], rank, balancer.enabled)
        for rank, key in enumerate(balancer.pools)
        if key in pools
    }
    return MembershipView(endpoints.pop(own), tuple(endpoints.values()))


def _endpoint(pool: Object, rank: int, above: bool) -> Endpoint:
    entries = [entry for entry in pool.get("origins") or [] if isinstance(entry, dict)]
    inside = any(entry.get("enabled") is not False for entry in entries)
    healthy = pool.get("healthy")
    promise = parse(pool.get("description"))
    return Endpoint(
        name=str(pool.get("name")),
        enabled=above and inside and pool.get("enabled") is not False,
        healthy=healthy if isinstance(healthy, bool) else None,
        rank=rank,
        machine=promise.machine if promise else "",
    )
