"""No agent for ten minutes beside a monitor: nothing changes; an engine killed then is left all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support import virtual
from tests.support.unattended import (
    HERE,
    INTERVAL,
    OTHER,
    Account,
    Host,
    HostClock,
    Straight,
    edge_beside,
    provision,
    pump,
)

from inferagent.lab.cloudflare.store import Store
from inferagent.programs.ready import PATH, Server

MINUTES = 600
OWN_RULE = 3  # seconds in which the ready program sees two refusals


class Scene:
    """What each second is asked: does the edge route to the host, and what does its ready URL say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def play(self, story: Callable[["Scene"], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        self.store = Store(now=loop.time)
        account, ways, clock = Account(self.store), Straight(), HostClock()
        self.host = Host(self.folder, account, await provision(account, HERE), clock)
        other = await provision(account, OTHER)
        self.store.put("pool", other.pool, self.store.pools[other.pool] | {"enabled": True})
        await self.host.engine.open()
        with self.host.ready() as self.ready:
            ways.answers = {
                f"tunnel-{HERE}": self.ready.answer,
                f"tunnel-{OTHER}": lambda _: b"HTTP/1.1 200 OK",
            }
            async with edge_beside(self.store, ways) as self.edge:
                await story(self)
        await self.host.engine.kill()

    async def second(self) -> None:
        await asyncio.sleep(1.0)
        pump(self.ready)

    async def until(self, holds: Callable[[], bool], within: float) -> float:
        begun = asyncio.get_running_loop().time()
        while not holds():
            await self.second()
            assert asyncio.get_running_loop().time() - begun <= within, self.host.document
        return asyncio.get_running_loop().time() - begun

    async def join(self) -> None:
        """An agent puts the host in, and is gone."""
        async with asyncio.TaskGroup() as group:
            agent = group.create_task(self.host.agent())
            await self.until(lambda: self._phase() == "serving" and self.routed(), 4 * INTERVAL)
            agent.cancel()

    def _phase(self) -> str:
        return self.host.document.phase if self.host.document else ""

    def routed(self) -> bool:
        return self.edge.routes_to(self.host.place.pool)

    def code(self) -> int:
        return asked(self.ready)

    def unchanged(self) -> tuple[int, bool, bytes]:
        """Writes so far, the pool's own switch, the verdict."""
        pool = self.store.pools[self.host.place.pool]
        return len(self.store.writes), pool["enabled"], (self.folder / "verdict.json").read_bytes()


def asked(server: Server) -> int:
    return int(server.answer(b"GET " + PATH + b" HTTP/1.1\r\n\r\n").split()[1])


def test_ten_minutes_without_an_agent_change_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async def story(scene: Scene) -> None:
        await scene.join()
        before, looks = scene.unchanged(), (tmp_path / "asked").read_bytes()
        for _ in range(MINUTES):
            await scene.second()
            assert scene.routed()
        assert scene.unchanged() == before
        assert scene.code() == 200
        assert int((tmp_path / "asked").read_bytes()) - int(looks) >= MINUTES // INTERVAL - 1
        record_property("figure", f"no agent for {MINUTES} s: 0 membership changes, routed to all the time")

    virtual.run(Scene(tmp_path).play(story))


def test_an_engine_killed_without_an_agent_is_left_within_the_monitors_time(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async def story(scene: Scene) -> None:
        await scene.join()
        for _ in range(MINUTES):
            await scene.second()
        before = scene.unchanged()
        await scene.host.engine.kill()
        said = await scene.until(lambda: scene.code() == 503, OWN_RULE)
        out = said + await scene.until(lambda: not scene.routed(), INTERVAL + OWN_RULE)
        assert scene.unchanged() == before, "nobody was there to write"
        await scene.host.engine.open()
        back = await scene.until(lambda: scene.code() == 200 and scene.routed(), INTERVAL + OWN_RULE)
        record_property(
            "figure",
            f"engine killed without an agent: ready says 503 after {said:.0f} s, the edge leaves it after "
            f"{out:.0f} s (monitor every {INTERVAL} s), and takes it again {back:.0f} s after its return",
        )
        assert scene.unchanged() == before

    virtual.run(Scene(tmp_path).play(story))


def test_a_host_that_was_out_stays_out_without_its_agent(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        before = len(scene.store.writes)
        for _ in range(MINUTES):
            await scene.second()
            assert not scene.routed()
        assert scene.code() == 503, "no verdict of this boot"
        assert len(scene.store.writes) == before

    virtual.run(Scene(tmp_path).play(story))
