"""`inferagent demo`: provision two hosts with setup, put users on them, and let things go wrong."""

import asyncio
import tempfile
from pathlib import Path

import aiohttp
from rich.console import Console

from inferagent.lab.demo.host import CommandError, leaves
from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.demo.story import Story
from inferagent.lab.demo.table import rows, show
from inferagent.lab.demo.watch import Watch, console
from inferagent.lab.demo.world import SHORT, World, open_world
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import mixed

# Requests a second. A real engine without a GPU is saturated by what a stand-in takes, and a vLLM that starts
# leaves the other one hardly a core.
RATE, RATE_OLLAMA, RATE_VLLM = 8.0, 3.0, 1.0


def run(keep: Path | None) -> int:
    """0 when the story held, 1 else. `keep`: a folder for configuration and logs, None for none."""
    screen = console()
    code = 1
    try:
        code = _demonstrate(keep, screen)
    except* (CommandError, TimeoutError, RuntimeError, OSError, aiohttp.ClientError) as errors:
        for error in leaves(errors):
            screen.print(f"the demo broke off: {error}", markup=False)
    return code


def _demonstrate(keep: Path | None, screen: Console) -> int:
    if keep is not None:
        return asyncio.run(_demo(keep, screen))
    with tempfile.TemporaryDirectory(prefix="inferagent-demo-") as folder:
        return asyncio.run(_demo(Path(folder), screen))


async def _demo(folder: Path, screen: Console) -> int:
    begun = asyncio.get_running_loop().time()
    async with open_world(folder) as world:
        world.add("gcp-gpu", "vllm", 80)
        world.add("home-gpu", "ollama", 20)
        _introduce(world, screen)
        for host in world.hosts:
            await world.own_token(host)
            screen.print(await host.setup(world.info), markup=False)
        for host in world.hosts:
            await host.start_agent()
        for host in world.hosts:
            await world.in_phase(host, "serving", 120)
        held = await _play(world, screen)
    took = asyncio.get_running_loop().time() - begun
    screen.print(f"{'the story held' if held else 'the story did NOT hold'} ({took:.0f} s)", markup=False)
    return 0 if held else 1


def _introduce(world: World, screen: Console) -> None:
    for host in world.hosts:
        screen.print(f"{host.name}: {host.engine.about}, {host.connector.about}", markup=False)
    short = ", ".join(f"{key} = {value}" for key, value in SHORT.settings.items())
    looks = SHORT.monitor_interval * SHORT.interval_scale
    screen.print(
        f"shortened for the demo: the monitor looks every {looks:.0f} s, pool changes reach the edge within "
        f"{SHORT.lag[1]:.0f} s, {short}",
        markup=False,
    )
    screen.print(
        f"users call {world.info['public']}/v1 as {world.public_host}, model {PUBLIC_NAME}", markup=False
    )


async def _play(world: World, screen: Console) -> bool:
    real = {host.engine.kind for host in world.hosts if host.engine.real}
    kinds = mixed(
        0.4, 8, 30 if real else 60, bound=30.0 if real else 10.0, stream_bound=60.0 if real else 30.0
    )
    rate = RATE_VLLM if "vllm" in real else RATE_OLLAMA if real else RATE
    traffic = Traffic(world.info["public"], PUBLIC_NAME, kinds, rate, world.public_host, exact=not real)
    watch = Watch(world, traffic, screen)
    story = Story(world, traffic, watch, SHORT.cache)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(watch.run(stop))
        traffic.start(group)
        try:
            await story.tell()
        finally:
            await traffic.stop()
            stop.set()
    if story.events:
        story.events[-1].ended = float("inf")
    found = rows(story.events, traffic)
    show(found, screen)
    return all(not row.wrong for row in found)
