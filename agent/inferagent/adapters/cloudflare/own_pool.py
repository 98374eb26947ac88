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
        balancer = await self._balancer()  # first: its one call a minute must not starve behind the others
        pools = await self._client.call(Call("read the pools", "GET", self._pools, deadline=READ_DEADLINE_S))
        return view(_objects(pools), balancer, self._place.pool)

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
    if not isinstance(pools, list) or not all(isinstance(pool, str) for pool in pools):
        raise PortError("cannot read the load balancer: its pools are no list of ids")
    return _Balancer(_enabled(found, "the load balancer"), tuple(dict.fromkeys(pools)), now)


def _objects(pools: object) -> dict[str, Object]:
    if not isinstance(pools, list):
        raise PortError("cannot read the pools: the answer is no list")
    found: dict[str, Object] = {}
    for pool in pools:
        key = pool.get("id") if isinstance(pool, dict) else None
        if isinstance(key, str) and found.setdefault(key, pool) is not pool:
            raise PortError(f"cannot read the pools: {key} is there twice")
    return found


def view(pools: dict[str, Object], balancer: _Balancer, own: str) -> MembershipView:
    """The default pools as endpoints in their order. A fallback pool of its own is none of them."""
    if own not in pools:
        raise PortError(f"cannot find this host's pool {own} (run `inferagent setup`)")
    if own not in balancer.pools:
        raise PortError(
            f"cannot find pool {_text(pools[own], 'name')} in the load balancer (run `inferagent setup`)"
        )
    endpoints = {
        key: _endpoint(pools[key], rank, balancer.enabled)
        for rank, key in enumerate(balancer.pools)
        if key in pools
    }
    return MembershipView(endpoints.pop(own), tuple(endpoints.values()))


def _endpoint(pool: Object, rank: int, above: bool) -> Endpoint:
    what = f"pool {_text(pool, 'name')}"
    entries = [] if pool.get("origins") is None else pool["origins"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PortError(f"cannot read {what}: its endpoints are no list of objects")
    insides = [_enabled(entry, what) for entry in entries]
    healthy = pool.get("healthy")
    promise = parse(_text(pool, "description"))
    return Endpoint(
        name=_text(pool, "name"),
        enabled=_enabled(pool, what) and above and any(insides),
        healthy=healthy if isinstance(healthy, bool) else None,
        rank=rank,
        machine=promise.machine if promise else "",
    )


def _enabled(thing: Object, what: str) -> bool:
    """The API's default is true; what is neither true nor false says nothing."""
    value = thing.get("enabled")
    if not isinstance(value, bool | None):
        raise PortError(f"cannot read {what}: `enabled` is neither true nor false")
    return value is not False


def _text(thing: Object, name: str) -> str:
    value = thing.get(name)
    return value if isinstance(value, str) else ""
