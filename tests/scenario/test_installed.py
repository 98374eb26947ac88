"""An engine is upgraded, and put back, by real agents under traffic: nobody loses a request."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.fake_uv import give_uv, next_version
from tests.support.install_host import InstallHost
from tests.support.scenario import QUICK, SAID, until

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.demo.world import World, open_world
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import mixed
from inferagent.programs.install import Order, Progress, run
from inferagent.programs.install import World as Outside

pytestmark = pytest.mark.timeout(300)


@dataclass
class Played:
    codes: list[int] = field(default_factory=list)
    engines: list[int] = field(default_factory=list)
    in_use: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    sent: int = 0
    failed: int = 0


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return asyncio.run(play(tmp_path_factory.mktemp("installed")))


async def play(folder: Path) -> Played:
    async with open_world(folder, QUICK) as world:
        host, other = await begun(world, "gpu-a"), await begun(world, "gpu-b")
        for one in (host, other):
            await until(lambda one=one: serves(world, one), f"{one.name} serves")  # type: ignore[misc]
        await until(lambda: sees(host, others=1), f"{host.name} sees {other.name}")
        parts = InstallHost(folder / "parts")
        give_uv(parts)
        parts.sources("[vllm]\nspace = 1\n", leave="90s", **{"return": "90s"})
        shutil.copy(parts.config / "install.toml", host.config)
        found = Played()
        traffic = Traffic(
            world.info["public"], PUBLIC_NAME, mixed(0.4, 4, 20, 10.0, 20.0), 4.0, world.public_host
        )
        async with asyncio.TaskGroup() as group:
            await installed(parts, host, found, "0.20.1")
            traffic.start(group)
            await installed(parts, host, found, "0.20.2")
            await installed(parts, host, found, "", rollback=True)
            await traffic.stop()
        await until(lambda: sees(other, others=1), f"{other.name} sees {host.name}")
        await other.command("drain", "--config", str(other.config), "--wait")
        await until(lambda: sees(host, others=0), f"{host.name} knows to be alone")
        await installed(parts, host, found, "0.20.2")
        found.sent, found.failed = len(traffic.outcomes), sum(bool(one.cause) for one in traffic.outcomes)
        return found


async def begun(world: World, name: str) -> Host:
    host = world.add(name, "vllm", 50)
    await world.own_token(host)
    await host.setup(world.info)
    await host.start_agent()
    return host


async def serves(world: World, host: Host) -> bool:
    status = await host.status()
    return bool(status and status["phase"] == "serving") and await world.routes_to(host)


async def sees(host: Host, *, others: int) -> bool:
    """By its latest reading of the pools."""
    status = await host.status()
    return bool(status) and status["membership"]["peers_effective"] == others


async def installed(
    parts: InstallHost, host: Host, found: Played, version: str, *, rollback: bool = False
) -> None:
    next_version(parts, version)
    given = {"vllm": {"version": version}} if version else {}
    order = Order("vllm", host.config, given, rollback=rollback)
    outside = Outside(Progress(found.words.append), lambda: True, parts.host)
    found.codes.append(await asyncio.to_thread(run, order, outside))
    found.engines.append(host.pid("engine"))
    found.in_use.append(str((parts.parts / "vllm" / "current").readlink()))


def test_an_upgrade_and_the_way_back_cost_no_request(
    played: Played, record_property: Callable[[str, object], None]
) -> None:
    record_property("figure", f"installed under traffic: {played.failed}/{played.sent} failed; {SAID}")
    assert played.codes[:3] == [0, 0, 0], played.words
    assert played.in_use[:3] == ["0.20.1", "0.20.2", "0.20.1"]
    assert len(set(played.engines[:3])) == 3, "each version runs in a life of its own"
    assert played.sent > 20
    assert played.failed == 0


def test_the_last_host_is_left_as_it_is(played: Played) -> None:
    assert (played.codes[3], played.in_use[3]) == (1, "0.20.1")
    assert played.engines[3] == played.engines[2]
    cure = played.words[-1].rpartition(" → ")[2]
    assert cure.startswith("sudo inferagent install vllm --config ")
    assert cure.endswith(" --last")
