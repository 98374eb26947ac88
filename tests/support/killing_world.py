"""The world in which agents are killed: two hosts that serve in one load balancer, users, and a watcher."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.killing_judge import Terms
from tests.support.outside import Outside

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.programs import PUBLIC_NAME, Engine
from inferagent.lab.demo.world import Timing, World, open_world
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import mixed

WATCHED = Path(__file__).with_name("watched_engine.py")
STOP_SECONDS = 0.5  # from SIGTERM to the engine's end
RATE = 4.0  # requests a second, for both hosts together
SETTLE, QUIET, CACHE = 1.0, 1.0, 0.3
TERMS = Terms(settle=SETTLE, quiet=QUIET, cache=CACHE, bound=8.0)
TERMS_OF_KILL = Terms(settle=SETTLE, quiet=QUIET, cache=CACHE, bound=18.0)

FAST = Timing(
    monitor_interval=5,
    interval_scale=0.2,
    lag=(0.0, 0.5),
    cache=CACHE,
    latency=0.1,
    settings={
        "drain.settle": f"{SETTLE:g}s",
        "drain.quiet": f"{QUIET:g}s",
        "limits.hold_off": "1s",
        "limits.hold_off_reset": "1s",
        "limits.joins_per_hour": 60,
        "limits.restarts_per_hour": 60,
        "membership.monitor_bound": "5s",
        "probe.look": "300ms",
        "probe.membership": "1s",
    },
)
SAID = (
    f"settle {SETTLE:g} s, quiet {QUIET:g} s, the engine ends {STOP_SECONDS:g} s after SIGTERM, looks every "
    "0.3 s, the pool is read every 1 s, pool changes arrive within 0.5 s, each API answer takes 0.1 s"
)


@dataclass(frozen=True)
class Struck:
    """The host whose agent is killed, the users of both hosts, and whoever watches from outside."""

    world: World
    host: Host
    outside: Outside
    traffic: Traffic


@asynccontextmanager
async def opened(folder: Path, seed: int) -> AsyncIterator[Struck]:
    """Both agents have been started; users are on the hosts until the end."""
    async with open_world(folder, FAST, seed) as world:
        witness = folder / "witness"
        host = world.add("struck", "vllm", 50)
        host.engine = _watched(host, witness)
        hosts = (host, world.add("other", "vllm", 50))
        for each in hosts:
            await world.own_token(each)
            await each.setup(world.info)
        for each in hosts:  # only now: an agent reads the shape of the load balancer once a minute
            await each.start_agent()
        for each in hosts:
            await world.in_phase(each, "serving")
        kinds = mixed(0.4, 4, 20, bound=10.0, stream_bound=20.0)
        traffic = Traffic(world.info["public"], PUBLIC_NAME, kinds, RATE, world.public_host)
        outside = Outside(world, host, witness)
        async with asyncio.TaskGroup() as group:
            traffic.start(group)
            watching = group.create_task(outside.watch())
            try:
                yield Struck(world, host, outside, traffic)
            finally:
                watching.cancel()
                await traffic.stop()


def _watched(host: Host, witness: Path) -> Engine:
    port = ("--host", "127.0.0.1", "--port", str(host.engine_port))
    argv = (sys.executable, str(WATCHED), "serve", "Qwen/Qwen3-8B", "--served-model-name", PUBLIC_NAME, *port)
    lab = {
        "LAB_HOST_NAME": host.name,
        "LAB_START_SECONDS": "0.3",
        "LAB_TOKENS_PER_SECOND": "40",
        "WITNESS": str(witness),
        "WITNESS_STOP_SECONDS": str(STOP_SECONDS),
    }
    return Engine("vllm", "stand-in vLLM with a witness", False, argv, PUBLIC_NAME, lab)
