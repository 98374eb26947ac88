"""What the meter reads of a process, and of the agent's own metrics."""

import os
from pathlib import Path

from aiohttp import web
from tests.real.soak.measure import memory_in, tasks_of, use_of

ROLLUP = """00400000-7ffd rollup
Rss:               20480 kB
Pss:               10240 kB
Pss_Anon:           9000 kB
Shared_Clean:       8192 kB
Private_Clean:      1024 kB
Private_Dirty:      2048 kB
"""


def test_memory_is_told_in_mib() -> None:
    assert memory_in(ROLLUP) == {"pss": 10.0, "rss": 20.0, "private": 3.0}


def test_a_process_is_measured() -> None:
    numbers = use_of(os.getpid())
    assert numbers["rss"] > numbers["private"] > 1.0
    with Path("/dev/null").open() as _file:
        assert use_of(os.getpid())["descriptors"] == numbers["descriptors"] + 1
    assert numbers["threads"] >= 1
    assert numbers["children"] >= 0


def test_who_is_gone_has_no_numbers() -> None:
    assert use_of(2**22 + 1) == {}


async def test_tasks_are_read_from_the_agents_metrics(tmp_path: Path) -> None:
    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(text="# TYPE inferagent_tasks gauge\ninferagent_tasks 21\n")

    app = web.Application()
    app.router.add_get("/v1/metrics", metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    sock = tmp_path / "s"
    await web.UnixSite(runner, str(sock)).start()
    try:
        assert await tasks_of(sock) == {"tasks": 21.0}
    finally:
        await runner.cleanup()
    assert await tasks_of(sock) == {}
