from tests.support.edge_lab import HOST, PUBLIC, TUNNEL, add_balancer, add_pool, until

from inferagent.lab.cloudflare.store import Store
from inferagent.lab.edge.health import Health
from inferagent.lab.edge.router import Router
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.lab.edge.steering import NO_ORIGIN, Target
from inferagent.lab.edge.view import View


def routed(cache_s):
    store = Store()
    add_pool(store, "a")
    add_pool(store, "b", tunnel_id="t2")
    add_balancer(store, ["a"], fallback="a")
    settings = EdgeSettings(lag=(0, 0), cache_s=cache_s)
    view = View(store, settings)
    store.subscribe(view.changed)
    return store, Router(view, Health(("A",)), settings)


def disable(store, pool_id):
    store.put("pool", pool_id, store.pools[pool_id] | {"enabled": False})


async def test_a_kept_resolution_outlives_the_change_and_then_goes():
    store, router = routed(cache_s=0.1)
    assert router.route(PUBLIC) == Target("a", TUNNEL, HOST)
    disable(store, "a")
    assert router.route(PUBLIC) == Target("a", TUNNEL, HOST)
    await until(lambda: router.route(PUBLIC) == NO_ORIGIN)


async def test_without_keeping_a_change_is_seen_at_once():
    store, router = routed(cache_s=0)
    assert router.route(PUBLIC) == Target("a", TUNNEL, HOST)
    disable(store, "a")
    assert router.route(PUBLIC) == NO_ORIGIN


async def test_another_target_is_found_only_where_there_is_one():
    store, router = routed(cache_s=0)
    tried = router.route(PUBLIC)
    assert router.again(PUBLIC, tried) is None
    add_balancer(store, ["a", "b"], adaptive_routing={"failover_across_pools": True})
    assert router.again(PUBLIC, tried) == Target("b", "t2", HOST)
