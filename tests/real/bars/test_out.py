"""kill_out and hang_out: splits by engine, what the monitor left, hosts that are not out in time."""

import asyncio

from tests.bench.hang import LIMIT as LONGEST
from tests.bench.kill import LIMIT
from tests.real.bars.hang_out import _figure, _watched
from tests.real.bars.kill_out import figure
from tests.support import virtual
from tests.support.demo_fakes import FakeHost, FakeWorld


def test_kills_are_told_in_all_and_by_engine() -> None:
    made = figure("kill_out_s", {"ollama": [0.1, 0.3, 0.2], "vllm": [LIMIT]}, {"cpus": 2}, {"n": 20})
    assert (made.n, made.most, made.conditions["not_out_in_time"]) == (4, LIMIT, 1)
    assert made.beside["ollama"]["median_s"] == 0.2
    assert made.beside["vllm"]["each_s"] == [LIMIT]
    assert made.beside["monitor_alone"] == {"n": 20}


def test_hangs_are_told_with_the_hosts_on_which_they_were() -> None:
    made = _figure("hang_out_vllm_s", ([10.0, LONGEST], {"hangs": "real vLLM"}), {}, {"n": 5})
    assert made.conditions["not_out_in_time"] == 1
    assert made.conditions["hosts"] == {"hangs": "real vLLM"}


def test_the_monitor_is_watched_for_its_time() -> None:
    ill, well = FakeHost("ill"), FakeHost("well")
    world = FakeWorld(ill, well)

    async def story() -> list[float]:
        asyncio.get_running_loop().call_later(20, lambda: setattr(ill, "enabled", False))
        return await _watched(world, world.hosts, 60.0)

    (after,) = virtual.run(story())
    assert 19 < after < 22
