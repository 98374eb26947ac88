import pytest
from tests.support.edge_lab import HOST, TUNNEL, add_pool, inside, until

from inferagent.lab.edge.server import serve_edge
from inferagent.lab.edge.settings import EdgeSettings

ADDRESS = f"{TUNNEL}.cfargotunnel.com"
QUICK = EdgeSettings(lag=(0, 0), cache_s=0, interval_scale=0.001, first_look=(0, 0))


def add_monitor(store, **more):
    monitor = {"id": "m", "type": "https", "path": "/ready", "interval": 60, "timeout": 1, "retries": 0}
    store.put("monitor", "m", monitor | more)


def switch(store, **more):
    store.put("pool", "pool-a", store.pools["pool-a"] | more)


def healthy(store):
    return store.health.get("pool-a", {}).get("healthy")


@pytest.fixture
async def watched(store, tmp_path):
    add_monitor(store)
    switch(store, monitor="m")
    async with serve_edge(store, QUICK, tmp_path) as edge, inside(edge, store):
        yield edge


async def test_a_verdict_reaches_routing_and_the_store(watched, store, origin):
    await until(lambda: healthy(store) is True)
    assert watched.health.is_up("pool-a", ADDRESS)
    assert store.health["pool-a"]["detail"][ADDRESS]["response_code"] == 200
    origin.status = 503
    await until(lambda: healthy(store) is False)
    assert not watched.health.is_up("pool-a", ADDRESS)
    assert watched.counters.probes["pool-a"] > watched.counters.probes_failed["pool-a"] > 0


async def test_a_disabled_pool_is_not_probed_and_unknown_when_enabled_again(watched, store, origin):
    await until(lambda: healthy(store) is True)
    switch(store, enabled=False)
    assert healthy(store) is None
    before = len(origin.seen)
    watched.monitors.paused = True
    switch(store, enabled=True)
    assert watched.health.verdict("pool-a", ADDRESS) is None
    watched.monitors.paused = False
    await until(lambda: healthy(store) is True)
    assert len(origin.seen) > before


async def test_nobody_probes_while_disabled(watched, store, origin):
    add_pool(store, "pool-b", host="second.example.com", monitor="m")
    await until(lambda: watched.counters.probes["pool-b"] > 0)
    switch(store, enabled=False)
    await until(lambda: origin.open == 0)
    ours, theirs = watched.counters.probes["pool-a"], watched.counters.probes["pool-b"]
    await until(lambda: watched.counters.probes["pool-b"] > theirs + 3)
    assert watched.counters.probes["pool-a"] <= ours


async def test_consecutive_counts_are_the_monitors(watched, store, origin):
    await until(lambda: healthy(store) is True)
    add_monitor(store, consecutive_down=5)
    failed = watched.counters.probes_failed["pool-a"]
    origin.status = 500
    await until(lambda: healthy(store) is False)
    assert watched.counters.probes_failed["pool-a"] - failed >= 5


async def test_a_pool_without_a_monitor_is_left_alone(watched, store, origin):
    await until(lambda: healthy(store) is True)
    switch(store, monitor=None)
    assert healthy(store) is None
    count = len(origin.seen)
    switch(store, description="x")
    assert len(origin.seen) == count


async def test_a_monitor_that_comes_later_is_taken_up(store, tmp_path, origin):
    switch(store, monitor="m")
    async with serve_edge(store, QUICK, tmp_path) as edge, inside(edge, store):
        assert edge.counters.probes["pool-a"] == 0
        add_monitor(store)
        await until(lambda: healthy(store) is True)
        store.remove("monitor", "m")
        assert healthy(store) is None
        add_monitor(store, path="/other")
        await until(lambda: origin.seen[-1][1] == "/other")


async def test_each_data_centre_looks(store, tmp_path, origin):
    add_monitor(store, interval=600)
    switch(store, monitor="m")
    settings = EdgeSettings(
        lag=(0, 0), interval_scale=0.001, first_look=(0.2, 0.2), data_centres=("A", "B", "C")
    )
    async with serve_edge(store, settings, tmp_path) as edge, inside(edge, store):
        await until(lambda: healthy(store) is True)
        assert edge.counters.probes["pool-a"] % 3 == 0
        assert origin.seen[-1][2]["Host"] == HOST


async def test_the_first_look_takes_its_time(store, tmp_path):
    add_monitor(store)
    switch(store, monitor="m")
    settings = EdgeSettings(lag=(0, 0), first_look=(0.5, 1.0))
    async with serve_edge(store, settings, tmp_path) as edge, inside(edge, store):
        assert healthy(store) is None
        assert edge.router.route("llm.example.com").pool == "pool-a"
        assert edge.counters.probes["pool-a"] == 0
