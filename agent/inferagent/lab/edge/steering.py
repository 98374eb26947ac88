"""Which pool and endpoint a request goes to. Pure: tables in, a choice or a refusal out; chance is handed in.

Policies other than `off` and `random` are taken as `off`, which serves pools in order.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Object = dict[str, Any]
Thing = TypeVar("Thing")
IsUp = Callable[[str, str], bool]
TUNNEL_SUFFIX = ".cfargotunnel.com"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `pool` is empty for a hostname that points straight at a tunnel."""

    pool: str
    tunnel: str
    host: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the edge answers itself."""

    status: int
    code: str


NO_SUCH_HOST = Refusal(409, "1001")
NO_ORIGIN = Refusal(530, "1016")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pool that may serve. `shed` is the share (0–1) of its requests that it hands on."""

    pool: str
    weight: float
    endpoints: tuple[tuple[Target, float], ...]
    shed: float = 0.0


@dataclass(frozen=True, slots=True)
class Resolution:
    """A hostname resolved: kept for some seconds, as the real edge keeps resolved addresses."""

    candidates: tuple[Candidate, ...] = ()
    fallback: Candidate | None = None
    by_weight: bool = False
    across_pools: bool = False
    refusal: Refusal = field(default=NO_ORIGIN)


def resolve(
    hostname: str, load_balancers: list[Object], pools: dict[str, Object], records: list[Object], is_up: IsUp
) -> Resolution:
    """A load balancer of that name wins over a DNS record of that name."""
    for balancer in load_balancers:
        if balancer.get("name") == hostname and balancer.get("enabled", True):
            return _balanced(balancer, pools, is_up)
    for record in records:
        if record.get("type") == "CNAME" and record.get("name") == hostname and record.get("proxied"):
            target = _target("", str(record.get("content", "")), None)
            if target:
                return Resolution((Candidate("", 1.0, ((target, 1.0),)),))
            return Resolution()
    return Resolution(refusal=NO_SUCH_HOST)


def choose(
    resolution: Resolution, chance: random.Random, without: frozenset[Target] = frozenset()
) -> Target | Refusal:
    """One request's way. `without`: targets already tried."""
    left = [c for c in (_less(c, without) for c in resolution.candidates) if c.endpoints]
    while left:
        candidate = _weighted([(c, c.weight) for c in left], chance) if resolution.by_weight else left[0]
        if candidate is None:
            break
        if not (candidate.shed and chance.random() < candidate.shed):
            return _endpoint(candidate, chance)
        left.remove(candidate)
    fallback = _less(resolution.fallback, without) if resolution.fallback else None
    if fallback and fallback.endpoints:
        return _endpoint(fallback, chance)
    return resolution.refusal


def retry(resolution: Resolution, tried: Target, chance: random.Random) -> Target | None:
    """Another target after a failed one: in the same pool, or in another if the load balancer lets it."""
    everyone = list(resolution.candidates) + ([resolution.fallback] if resolution.fallback else [])
    for candidate in everyone:
        if candidate.pool == tried.pool and (rest := _less(candidate, frozenset({tried}))).endpoints:
            return _endpoint(rest, chance)
    if not resolution.across_pools:
        return None
    other = choose(resolution, chance, frozenset({tried}))
    return other if isinstance(other, Target) else None


def pool_is_up(pool: Object, is_up: IsUp) -> bool:
    """Enough of its enabled endpoints are up. A pool without a monitor is taken to be up."""
    endpoints = [origin for origin in pool.get("origins", []) if origin.get("enabled", True)]
    if pool.get("monitor"):
        endpoints = [origin for origin in endpoints if is_up(str(pool["id"]), str(origin["address"]))]
    return len(endpoints) >= max(1, int(pool.get("minimum_origins") or 1))


def _balanced(balancer: Object, pools: dict[str, Object], is_up: IsUp) -> Resolution:
    steering = balancer.get("random_steering") or {}
    weights = steering.get("pool_weights") or {}
    default_weight = float(steering.get("default_weight", 1))
    candidates = []
    for pool_id in balancer.get("default_pools") or []:
        pool = pools.get(pool_id)
        if pool and pool.get("enabled", True) and pool_is_up(pool, is_up):
            candidates.append(
                _candidate(pool, float(weights.get(pool_id, default_weight)), is_up, last=False)
            )
    fallback = pools.get(str(balancer.get("fallback_pool")))
    adaptive = balancer.get("adaptive_routing") or {}
    return Resolution(
        tuple(c for c in candidates if c.endpoints),
        _candidate(fallback, 1.0, is_up, last=True) if fallback and fallback.get("enabled", True) else None,
        by_weight=balancer.get("steering_policy") == "random",
        across_pools=bool(adaptive.get("failover_across_pools", False)),
    )


def _candidate(pool: Object, weight: float, is_up: IsUp, *, last: bool) -> Candidate:
    """`last`: the fallback pool, which serves whatever its health."""
    pool_id = str(pool["id"])
    enabled = [origin for origin in pool.get("origins", []) if origin.get("enabled", True)]
    up = [o for o in enabled if not pool.get("monitor") or is_up(pool_id, str(o["address"]))]
    usable = (up or enabled) if last else up
    endpoints = []
    for origin in usable:
        share = 1.0 if origin.get("weight") is None else float(origin["weight"])
        target = _target(pool_id, str(origin.get("address", "")), _host_of(origin))
        if target and share > 0:
            endpoints.append((target, share))
    shedding = pool.get("load_shedding") or {}
    shed = float(shedding.get("default_percent") or 0) / 100
    return Candidate(pool_id, weight, tuple(endpoints), shed)


def _host_of(origin: Object) -> str | None:
    hosts = (origin.get("header") or {}).get("Host") or []
    return str(hosts[0]) if hosts else None


def _target(pool: str, address: str, host: str | None) -> Target | None:
    if not address.endswith(TUNNEL_SUFFIX):
        return None
    return Target(pool, address.removesuffix(TUNNEL_SUFFIX), host)


def _less(candidate: Candidate, without: frozenset[Target]) -> Candidate:
    if not without:
        return candidate
    kept = tuple(pair for pair in candidate.endpoints if pair[0] not in without)
    return Candidate(candidate.pool, candidate.weight, kept, candidate.shed)


def _endpoint(candidate: Candidate, chance: random.Random) -> Target:
    if len(candidate.endpoints) == 1:
        return candidate.endpoints[0][0]
    return _weighted(list(candidate.endpoints), chance) or candidate.endpoints[0][0]


def _weighted(pairs: list[tuple[Thing, float]], chance: random.Random) -> Thing | None:
    if not sum(weight for _, weight in pairs):
        return None
    return chance.choices([thing for thing, _ in pairs], [weight for _, weight in pairs])[0]
