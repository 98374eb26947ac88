"""Checks of the load balancer itself: who is in it, who is the fallback, does it try another pool."""

from inferagent.adapters.cloudflare.identity import parse
from inferagent.programs.doctor.looks_account import BALANCER, FORBIDDEN, Refusal, balancer, pools
from inferagent.programs.doctor.looks_config import settings
from inferagent.programs.doctor.sight import Sight
from inferagent.programs.doctor.values import Object, listed, mapping, objects, text, texts
from inferagent.programs.doctor.verdict import Check, Hop, Outcome, fail, ok, skipped, warn

PLACE = "dash.cloudflare.com > Traffic > Load Balancing"
SETUP = "sudo inferagent setup"


async def there(sight: Sight) -> Outcome:
    own, answer = (await settings(sight)).membership, await sight.see(BALANCER)
    if isinstance(answer, Refusal) and answer.status not in FORBIDDEN:
        return fail("the load balancer of the configuration is gone", SETUP)
    seen = await balancer(sight)
    name = text(seen, "name")
    if seen.get("enabled") is False:
        return fail(f"the load balancer {name} is disabled", f"{PLACE} > {name}: enable it")
    if seen.get("proxied") is not True:
        return fail(
            f"the load balancer {name} is not proxied: tunnels need that", f"{PLACE} > {name}: Proxied"
        )
    if own.pool not in texts(seen.get("default_pools")):
        return fail(f"this host's pool is not in the load balancer {name}", SETUP)
    return ok(f"{name} leads to {len(texts(seen.get('default_pools')))} pools")


async def fallback(sight: Sight) -> Outcome:
    """It gets every request when no other pool can take one, whatever its health."""
    own, seen = (await settings(sight)).membership, await balancer(sight)
    every = {text(pool, "id"): pool for pool in await pools(sight)}
    last = every.get(text(seen, "fallback_pool"))
    if last is None:
        return fail("the load balancer's fallback pool is gone", SETUP)
    name = text(last, "name")
    if text(last, "id") == own.pool:
        return warn(
            f"this host's own pool {name} is the fallback: it gets requests even when it is ill",
            f"{SETUP} (a fallback pool of all hosts), or {PLACE}: another fallback pool",
        )
    if last.get("enabled") is False or not _enabled(last):
        return fail(
            f"the fallback pool {name} is disabled: users get error 1016 when no host is in",
            f"{PLACE} > Pools > {name}: enable it",
        )
    return ok(f"pool {name}, {len(_enabled(last))} endpoints")


def _enabled(pool: Object) -> list[Object]:
    return [entry for entry in objects(pool.get("origins")) if entry.get("enabled") is not False]


async def failover(sight: Sight) -> Outcome:
    """Each pool holds one host, so a failed request has another try only in another pool."""
    seen = await balancer(sight)
    several = len(texts(seen.get("default_pools"))) > 1
    if mapping(seen.get("adaptive_routing")).get("failover_across_pools") is True:
        return ok("a request that fails is tried in another pool")
    if not several:
        return ok("off, and there is no other pool to try")
    return warn(
        "failover_across_pools is off: a request that fails is not tried in another pool",
        f"{SETUP}, or {PLACE} > {text(seen, 'name')} > Adaptive routing: failover across pools",
    )


async def promises(sight: Sight) -> Outcome:
    """Whoever asks for a public model name must get it from any host."""
    config, seen = await settings(sight), await balancer(sight)
    mine = tuple(sorted(name for name, _ in config.only_engine.serves))
    beside = [pool for pool in await pools(sight) if text(pool, "id") in texts(seen.get("default_pools"))]
    others = [pool for pool in beside if text(pool, "id") != config.membership.pool]
    if not others:
        return skipped("no other host is in the load balancer")
    for pool in others:
        promise = parse(text(pool, "description"))
        if promise is not None and promise.models != mine:
            return fail(
                f"pool {text(pool, 'name')} promises {listed(promise.models)}, this host {listed(mine)}: "
                "a part of the requests gets 404",
                "give every host the same names: ollama cp MODEL NAME, vllm --served-model-name NAME",
                Hop.MODEL,
            )
    return ok(f"all hosts promise {listed(mine)}")


CHECKS = (
    Check(
        "balancer.there",
        Hop.LOAD_BALANCER,
        "it leads to this host",
        there,
        ("account.permissions", "pool.there"),
    ),
    Check("balancer.fallback", Hop.LOAD_BALANCER, "who takes the rest", fallback, ("balancer.there",)),
    Check(
        "balancer.failover",
        Hop.LOAD_BALANCER,
        "a failed request has another try",
        failover,
        ("balancer.there",),
    ),
    Check(
        "balancer.promises", Hop.LOAD_BALANCER, "all hosts promise the same", promises, ("balancer.there",)
    ),
)
