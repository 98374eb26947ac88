import asyncio

from tests.support.edge_lab import until

from inferagent.lab.cloudflare.store import Store
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.lab.edge.view import View


async def test_starts_with_what_is_there():
    store = Store()
    store.put("pool", "p", {"id": "p"})
    store.put("monitor", "m", {"id": "m"})
    view = View(store, EdgeSettings())
    assert (view.pools, view.monitors) == ({"p": {"id": "p"}}, {"m": {"id": "m"}})


async def test_a_change_arrives_after_its_lag_and_is_told():
    view = View(Store(), EdgeSettings(lag=(0.05, 0.05)))
    told = []
    view.on_change = lambda kind, object_id: told.append((kind, object_id))
    view.changed("pool", "p", {"enabled": False})
    assert view.pools == {}
    await until(lambda: view.pools == {"p": {"enabled": False}})
    assert told == [("pool", "p")]
    view.changed("pool", "p", None)
    await until(lambda: view.pools == {})


async def test_no_lag_is_at_once_and_other_kinds_are_not_for_routing():
    view = View(Store(), EdgeSettings(lag=(0, 0)))
    view.changed("load_balancer", "l", {"name": "x"})
    view.changed("tunnel", "t", {"name": "x"})
    assert view.load_balancers == {"l": {"name": "x"}}


async def test_an_older_change_that_comes_later_is_not_applied():
    view = View(Store(), EdgeSettings())
    view.lag = (0.05, 0.05)
    view.changed("pool", "p", {"n": 1})
    view.lag = (0.01, 0.01)
    view.changed("pool", "p", {"n": 2})
    await until(lambda: view.pools == {"p": {"n": 2}})
    await until(lambda: not view._due)
    assert view.pools == {"p": {"n": 2}}


async def test_lags_are_drawn_from_the_seed():
    def drawn(seed):
        view = View(Store(), EdgeSettings(seed=seed))
        return [view._random.uniform(*view.lag) for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert min(drawn(1)) < 1.0
    assert max(drawn(1)) > 9.0


async def test_closing_forgets_what_is_under_way():
    view = View(Store(), EdgeSettings(lag=(0.01, 0.01)))
    view.changed("pool", "p", {"n": 1})
    view.close()
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.03, done.set_result, None)
    await done
    assert view.pools == {}
