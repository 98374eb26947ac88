"""The reference's own reading of the account API's answers: what a membership view may say, and what not.

Three answers a field: True, False, or None where its type is not the API's, so that nothing can be read.
"""

import json
from dataclasses import dataclass
from typing import Any

from inferagent.model.membership import Endpoint, MembershipView

DEFAULT = True  # an object of the API is enabled unless it says otherwise


@dataclass(frozen=True, slots=True)
class Wanted:
    """`view` None: a reading must be refused, `why` says for what."""

    view: MembershipView | None
    why: str = ""


def result(status: int, body: bytes) -> tuple[bool, Any]:
    """Whether the answer is a success in Cloudflare's envelope, and its result."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return False, None
    fine = isinstance(envelope, dict) and envelope.get("success") is True and 200 <= status < 300
    return fine, envelope.get("result") if fine else None


def reading(pools: Any, balancer: Any, own: str) -> Wanted:
    """What must be read from the results of the two calls."""
    if not isinstance(pools, list) or not isinstance(balancer, dict):
        return Wanted(None, "the results have the wrong shape")
    order = balancer.get("default_pools")
    above = _enabled(balancer)
    if not isinstance(order, list) or above is None or not all(isinstance(pool, str) for pool in order):
        return Wanted(None, "the load balancer cannot be read")
    once = [pool for place, pool in enumerate(order) if pool not in order[:place]]
    ranks = {pool: rank for rank, pool in enumerate(once)}
    named = [pool for pool in pools if isinstance(pool, dict) and isinstance(pool.get("id"), str)]
    if len({pool["id"] for pool in named}) < len(named):
        return Wanted(None, "one pool is told twice")
    members = [pool for pool in named if pool["id"] in ranks]
    if own not in [pool["id"] for pool in members]:
        return Wanted(None, "the own pool is not there")
    found = {pool["id"]: _endpoint(pool, ranks[pool["id"]], above) for pool in members}
    if any(endpoint is None for endpoint in found.values()):
        return Wanted(None, "a pool cannot be read")
    peers = sorted((one for key, one in found.items() if key != own and one), key=lambda one: one.rank)
    mine = found[own]
    return Wanted(MembershipView(mine, tuple(peers))) if mine else Wanted(None)


def _enabled(thing: dict[str, Any]) -> bool | None:
    value = thing.get("enabled")
    return DEFAULT if value is None else value if isinstance(value, bool) else None


def _endpoint(pool: dict[str, Any], rank: int, above: bool) -> Endpoint | None:
    entries = pool.get("origins")
    entries = [] if entries is None else entries
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    insides = [_enabled(entry) for entry in entries]
    itself, healthy = _enabled(pool), pool.get("healthy")
    if itself is None or None in insides:
        return None
    return Endpoint(
        name=_text(pool.get("name")),
        enabled=above and itself and any(inside is True for inside in insides),
        healthy=healthy if isinstance(healthy, bool) else None,
        rank=rank,
        machine=_machine(pool.get("description")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _machine(description: Any) -> str:
    """The identity that setup wrote into the description, "" where it is none."""
    words = description.split(" ") if isinstance(description, str) else []
    if len(words) < 3 or words[0] != "inferagent" or not words[2].startswith("serves="):
        return ""
    name, _, machine = words[1].partition("=")
    return machine if name == "machine" and set(machine) <= set("0123456789abcdef") else ""
