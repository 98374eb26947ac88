"""idle_pss_mib, idle_cpu_percent: what agent, GPU probe and ready program cost a host that idles.

All three are the real programs at the default pace, the GPU probe on a stand-in of the driver's library. The
host serves in a pool of its own, nobody asks it anything, and its engine shows as many metrics as a real one.
"""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, load_average, machine, spread, tidy
from tests.bench.lab import Edge, opened, programs, provision, say, until
from tests.bench.proc import together, use_of
from tests.bench.wide_engine import conditions as metrics_conditions
from tests.fixtures.nvml.build import Driver, build

from inferagent.lab.demo.host import INFERAGENT, Host
from inferagent.lab.processes import Program

ENGINE = Path(__file__).with_name("wide_engine.py")
EDGE = Edge(lag=(0.0, 0.0))
PACES = ("look", "host", "gpus", "membership")
# What the agent is made of, by import name; the GPU probe needs the last one alone.
PACKAGES = ("click", "h11", "httpx", "psutil", "pydantic", "sdnotify", "structlog", "tomlkit", "pynvml")


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds of serving before the first window, how many windows, and seconds of each."""

    settled: float
    windows: int
    window: float


WHOLE, QUICK = Plan(30.0, 3, 60.0), Plan(8.0, 1, 20.0)


@dataclass(frozen=True, slots=True)
class Window:
    """By program: percent of one core over a window, and MiB at its end."""

    cpu: dict[str, float]
    pss: dict[str, float]


async def measure(folder: Path, quick: bool) -> list[Figure]:
    plan = QUICK if quick else WHOLE
    conditions: dict[str, Any] = {**machine(), **metrics_conditions()}
    async with idling(folder) as host:
        await asyncio.sleep(plan.settled)
        pids = await all_of(host)
        windows = [await look(pids, plan.window) for _ in range(plan.windows)]
        compared = {"shared_with_no_other_mib": tidy(together(pids.values())), **await others()}
        if await all_of(host) != pids:
            raise RuntimeError("cannot tell what the programs cost: one was started again meanwhile")
        conditions |= programs([host]) | await paces(host)
    conditions |= {
        "load_after": load_average(),
        "window_s": plan.window,
        "gpus": "1, by the stand-in library",
        "monitor_interval_s": EDGE.monitor_interval,
        "requests_of_users": 0,
    }
    return [
        _sums("idle_pss_mib", "MiB", [window.pss for window in windows], conditions, compared),
        _sums("idle_cpu_percent", "%", [window.cpu for window in windows], conditions, {}),
    ]


def _sums(
    name: str,
    unit: str,
    windows: Sequence[dict[str, float]],
    conditions: dict[str, Any],
    beside: dict[str, Any],
) -> Figure:
    """Of the programs together; beside it each program's own in the last window."""
    each = {program: tidy(value) for program, value in windows[-1].items()}
    samples = [sum(window.values()) for window in windows]
    return spread(name, samples, conditions, {"each": each, **beside}, unit)


@asynccontextmanager
async def idling(folder: Path) -> AsyncIterator[Host]:
    """A host that serves, at every default of the agent."""
    if shutil.which("cc") is None:
        raise RuntimeError("cannot measure without a C compiler: the GPU probe needs a driver's library")
    async with opened(folder, EDGE, seed=6) as world:
        host = world.add("idle", "vllm", 100)
        command = (sys.executable, str(ENGINE), "--port", str(host.engine_port))
        host.engine = replace(host.engine, command=command, about="engine of the bench", environment={})
        await provision(world, [host])
        driver = Driver(folder / "driver")
        driver.say(count="1", _0_utilisation="3", _0_pid="1")
        argv = [*INFERAGENT, "run", "--config", str(host.config)]
        host.agent = await Program.start(argv, driver.environment(build(folder)), host.folder / "agent.log")
        await until(f"{host.name} serves, and its GPU is seen", lambda: _serves(host), 180)
        yield host


async def _serves(host: Host) -> bool:
    status = await host.status()
    return status is not None and status["phase"] == "serving" and bool(status["gpus"])


async def all_of(host: Host) -> dict[str, int]:
    """The three programs by pid. RuntimeError unless the host serves without a complaint."""
    status = await host.status()
    if host.agent is None or status is None or status["phase"] != "serving" or status["findings"]:
        said = status["sentence"] if status else "no answer"
        raise RuntimeError(f"cannot measure an idle host: it is not well: {said}")
    return {
        "agent": host.agent.pid,
        "gpu_probe": int((host.run / "gpu.lock").read_text()),
        "ready_program": int(json.loads((host.run / "ready.json").read_text())["pid"]),
    }


async def look(pids: dict[str, int], seconds: float) -> Window:
    before, begun = {name: use_of(pid) for name, pid in pids.items()}, time.monotonic()
    await asyncio.sleep(seconds)
    after, took = {name: use_of(pid) for name, pid in pids.items()}, time.monotonic() - begun
    cpu = {name: 100 * (after[name].cpu - before[name].cpu) / took for name in pids}
    found = Window(cpu, {name: use.pss for name, use in after.items()})
    say(f"idle: {sum(found.cpu.values()):.2f} % of a core, {sum(found.pss.values()):.1f} MiB")
    return found


async def others() -> dict[str, float]:
    """Memory of a Python that sleeps, and of one that has imported what the agent imports."""
    return {
        "bare_python_mib": await _pss("pass"),
        "python_with_the_packages_mib": await _pss(f"import {', '.join(PACKAGES)}"),
    }


async def _pss(code: str) -> float:
    """MiB of a Python that has run this."""
    program = f"{code}\nprint('up', flush=True)\ninput()"
    ends = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    sleeper = await asyncio.create_subprocess_exec(sys.executable, "-c", program, **ends)
    try:
        assert sleeper.stdout is not None
        async with asyncio.timeout(30):
            await sleeper.stdout.readline()
        return tidy(use_of(sleeper.pid).pss)
    finally:
        sleeper.kill()
        await sleeper.wait()


async def paces(host: Host) -> dict[str, str]:
    """What this host's configuration comes to."""
    shown = await host.command("config", "show", "--config", str(host.config))
    lines = [line.partition("#")[0].partition("=") for line in shown.splitlines()]
    found = {key.strip(): value.strip().strip('"') for key, _, value in lines}
    return {f"pace_{name}": found[f"probe.{name}"] for name in PACES}
