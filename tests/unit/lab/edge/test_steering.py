import random

import pytest

from inferagent.lab.edge.steering import (
    NO_ORIGIN,
    NO_SUCH_HOST,
    Target,
    choose,
    pool_is_up,
    resolve,
    retry,
)

NAME = "llm.example.com"


def up(_pool, _address):
    return True


def down(_pool, _address):
    return False


def origin(tunnel, **more):
    return {"address": f"{tunnel}.cfargotunnel.com", "header": {"Host": [f"{tunnel}.h"]}} | more


def pool(pool_id, *origins, **more):
    return {"id": pool_id, "enabled": True, "origins": list(origins) or [origin(pool_id + "-t")]} | more


def pools(*each):
    return {one["id"]: one for one in each}


def balancer(*default, fallback="f", **more):
    return {"name": NAME, "default_pools": list(default), "fallback_pool": fallback} | more


def target(pool_id, tunnel=None):
    tunnel = tunnel or pool_id + "-t"
    return Target(pool_id, tunnel, f"{tunnel}.h")


def pick(lb, table, is_up=up, seed=0):
    return choose(resolve(NAME, [lb], table, [], is_up), random.Random(seed))


def shares(lb, table, is_up=up, n=4000):
    chance = random.Random(7)
    resolution = resolve(NAME, [lb], table, [], is_up)
    found = [choose(resolution, chance) for _ in range(n)]
    return {one: found.count(one) / n for one in set(found)}


def test_off_takes_the_first_pool_that_may_serve():
    table = pools(pool("a"), pool("b"), pool("f"))
    assert pick(balancer("a", "b"), table) == target("a")
    table["a"]["enabled"] = False
    assert pick(balancer("a", "b"), table) == target("b")


def test_random_follows_the_pool_weights():
    table = pools(pool("a"), pool("b"), pool("f"))
    weights = {"pool_weights": {"a": 0.8, "b": 0.2}}
    got = shares(balancer("a", "b", steering_policy="random", random_steering=weights), table)
    assert got[target("a")] == pytest.approx(0.8, abs=0.03)
    assert set(got) == {target("a"), target("b")}


def test_random_falls_back_on_the_default_weight():
    table = pools(pool("a"), pool("b"), pool("f"))
    steering = {"default_weight": 0.5, "pool_weights": {"a": 1.0}}
    got = shares(balancer("a", "b", steering_policy="random", random_steering=steering), table)
    assert got[target("b")] == pytest.approx(1 / 3, abs=0.03)


def test_the_same_seed_chooses_the_same():
    table = pools(pool("a"), pool("b"), pool("f"))
    lb = balancer("a", "b", steering_policy="random")
    assert shares(lb, table) == shares(lb, table)


def test_all_disabled_is_the_fallback_whatever_its_health():
    table = pools(pool("a", enabled=False), pool("f", monitor="m"))
    assert pick(balancer("a"), table, down) == target("f")


def test_all_unhealthy_is_the_fallback():
    table = pools(pool("a", monitor="m"), pool("f"))
    assert pick(balancer("a"), table, down) == target("f")
    assert pick(balancer("a"), table, up) == target("a")


def test_a_disabled_fallback_too_is_1016():
    table = pools(pool("a", enabled=False), pool("f", enabled=False))
    assert pick(balancer("a"), table) == NO_ORIGIN


def test_a_fallback_whose_only_endpoint_is_disabled_is_1016():
    table = pools(pool("a", enabled=False), pool("f", origin("f-t", enabled=False)))
    assert pick(balancer("a"), table) == NO_ORIGIN


def test_a_pool_needs_its_minimum_of_endpoints():
    two = [origin("t1"), origin("t2")]
    table = pools(pool("a", *two, minimum_origins=2, monitor="m"), pool("f"))
    assert pick(balancer("a"), table).pool == "a"
    assert pick(balancer("a"), table, lambda _p, address: address.startswith("t1")) == target("f")


def test_an_endpoint_that_is_down_or_disabled_gets_nothing():
    table = pools(pool("a", origin("t1", enabled=False), origin("t2"), origin("t3"), monitor="m"), pool("f"))
    got = shares(balancer("a"), table, lambda _p, address: not address.startswith("t3"))
    assert got == {target("a", "t2"): 1.0}


def test_endpoint_weights_share_within_a_pool_and_zero_gets_nothing():
    table = pools(
        pool("a", origin("t1", weight=0.3), origin("t2", weight=0.1), origin("t3", weight=0)), pool("f")
    )
    got = shares(balancer("a"), table)
    assert got[target("a", "t1")] == pytest.approx(0.75, abs=0.03)
    assert target("a", "t3") not in got


def test_shedding_hands_a_share_on_and_all_shed_is_the_fallback():
    table = pools(pool("a", load_shedding={"default_percent": 25}), pool("b"), pool("f"))
    assert shares(balancer("a", "b"), table)[target("b")] == pytest.approx(0.25, abs=0.03)
    table = pools(
        pool("a", load_shedding={"default_percent": 100}), pool("f", load_shedding={"default_percent": 100})
    )
    assert shares(balancer("a"), table) == {target("f"): 1.0}


def test_weights_of_zero_everywhere_leave_the_fallback():
    table = pools(pool("a"), pool("f"))
    lb = balancer("a", steering_policy="random", random_steering={"default_weight": 0})
    assert pick(lb, table) == target("f")


def test_a_name_nobody_has_and_a_balancer_that_is_off():
    assert resolve("x.example.com", [], {}, [], up).refusal == NO_SUCH_HOST
    assert pick(balancer("a", enabled=False), pools(pool("a"))) == NO_SUCH_HOST


def test_a_proxied_cname_leads_to_its_tunnel_and_keeps_the_users_host():
    record = {"type": "CNAME", "name": "gpu.example.com", "content": "t9.cfargotunnel.com", "proxied": True}
    found = choose(resolve("gpu.example.com", [], {}, [record], up), random.Random(0))
    assert found == Target("", "t9", None)
    elsewhere = record | {"content": "example.net"}
    assert choose(resolve("gpu.example.com", [], {}, [elsewhere], up), random.Random(0)) == NO_ORIGIN
    assert resolve("gpu.example.com", [], {}, [record | {"proxied": False}], up).refusal == NO_SUCH_HOST


def test_an_address_that_is_no_tunnel_serves_nobody():
    table = pools(pool("a", {"address": "192.0.2.1"}), pool("f"))
    assert pick(balancer("a"), table) == target("f")


def test_a_retry_stays_in_the_pool_unless_told_otherwise():
    table = pools(pool("a", origin("t1"), origin("t2")), pool("b"), pool("f"))
    chance = random.Random(0)
    resolution = resolve(NAME, [balancer("a", "b")], table, [], up)
    assert retry(resolution, target("a", "t1"), chance) == target("a", "t2")
    assert retry(resolution, target("b"), chance) is None
    across = balancer("a", "b", adaptive_routing={"failover_across_pools": True})
    resolution = resolve(NAME, [across], table, [], up)
    assert retry(resolution, target("b"), chance).pool == "a"


def test_a_retry_across_pools_never_takes_what_failed():
    table = pools(pool("a"), pool("f", origin("a-t")))
    across = balancer("a", adaptive_routing={"failover_across_pools": True})
    resolution = resolve(NAME, [across], table, [], up)
    assert retry(resolution, target("a"), random.Random(0)) == Target("f", "a-t", "a-t.h")


def test_pool_is_up_without_a_monitor():
    assert pool_is_up(pool("a"), down)
    assert not pool_is_up(pool("a", monitor="m"), down)
    assert not pool_is_up(pool("a", origin("t", enabled=False)), up)
