"""A GPU falls off the bus: the kernel's line, the real probe program and agent, and the operator's word.

The kernel's log is a FIFO, the driver a stand-in that goes on answering; the rest is the lab's.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fixtures.nvml.build import Driver, build
from tests.support.kernel_says import KernelSays
from tests.support.scenario import QUICK, routed, until

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import World, open_world

FELL = "NVRM: Xid (PCI:0000:02:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
OUT_WITHIN = 20.0  # seconds: two looks of five at most, beside other tests on two cores
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[KernelSays]:
    made = KernelSays(tmp_path / "kmsg")
    yield made
    made.close()


@pytest.fixture
def probe(tmp_path: Path, kernel: KernelSays) -> Iterator[Callable[[Path], None]]:
    """Starts the probe of a host before its agent would."""
    driver = Driver(tmp_path / "driver")
    driver.say(count="2")
    (tmp_path / "lib").mkdir()
    environment = driver.environment(build(tmp_path / "lib"))
    started: list[subprocess.Popen[bytes]] = []

    def start(run: Path) -> None:
        words = ["--run", str(run), "--every", "1", "--kernel-log", str(kernel.path)]
        argv = [sys.executable, "-m", "inferagent.programs.gpu_probe", *words]
        started.append(subprocess.Popen(argv, env=environment))

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


async def faults(host: Host) -> list[dict[str, object]]:
    said = await host.command("fault", "list", "--json", "--config", str(host.config))
    return list(json.loads(said[said.index("{") :])["faults"])


async def serves(world: World, host: Host) -> bool:
    status = await host.status()
    return status is not None and status["phase"] == "serving" and await routed(world, host)


async def is_out(world: World, host: Host) -> bool:
    status = await host.status()
    return status is not None and status["phase"] == "out" and not await routed(world, host)


async def play(folder: Path, kernel: KernelSays, probe: Callable[[Path], None]) -> float:
    """Seconds from the line to being out."""
    async with open_world(folder, QUICK) as world:
        for name in ("gpu-a", "gpu-b"):
            host = world.add(name, "vllm", 50)
            await world.own_token(host)
            await host.setup(world.info)
        host = world.hosts[0]
        probe(host.run)
        await until(_there(host.run / "gpu.json"), "the first report")
        for one in world.hosts:
            await one.start_agent()
        for one in world.hosts:
            await until(lambda one=one: serves(world, one), f"{one.name} serves")

        begun = asyncio.get_running_loop().time()
        kernel("NVRM: GPU at PCI:0000:02:00: GPU-1", FELL)
        await until(lambda: is_out(world, host), "the host is out")
        took = asyncio.get_running_loop().time() - begun
        status = await host.status()
        assert status is not None
        assert status["root_cause"].startswith("GPU 1 fell off the bus (XID 79, ")
        assert status["sentence"].startswith("out, waiting for a reboot: GPU 1 fell off the bus")
        assert status["cure"] == "sudo systemctl reboot"
        assert [(row["index"], row["code"]) for row in await faults(host)] == [(1, "lost")]

        await host.kill_agent()
        kernel("a line about something else")
        assert [row["index"] for row in await faults(host)] == [1]
        await host.start_agent()
        await until(lambda: _has(host, "waiting for a reboot"), "the fault is remembered")

        said = await host.command("fault", "clear", "1", "--config", str(host.config))
        assert said.startswith("cleared: GPU 1 fell off the bus (XID 79, ")
        await until(lambda: serves(world, host), "the host serves after the operator's word")
        assert await faults(host) == []

        kernel(FELL)
        await until(lambda: is_out(world, host), "a newer line takes it out again")
        assert await serves(world, world.hosts[1])
        return took


def _there(path: Path) -> Callable:
    async def there() -> bool:
        return os.path.exists(path)  # noqa: ASYNC240, PTH110

    return there


async def _has(host: Host, words: str) -> bool:
    status = await host.status()
    return status is not None and words in status["sentence"]


def test_a_line_of_the_kernel_takes_the_host_out_until_the_operator_s_word_and_a_newer_one_again(
    tmp_path: Path,
    kernel: KernelSays,
    probe: Callable[[Path], None],
    record_property: Callable[[str, object], None],
) -> None:
    took = asyncio.run(play(tmp_path / "world", kernel, probe))
    record_property("figure", f"XID 79 in the kernel's log → out and quiet: {took:.1f} s")
    assert took < OUT_WITHIN
